package lake

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"datasync/internal/model"

	"datasync/lake/rows"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// topic is the section of docs/operations.md.
const topic = "lake"

var (
	// ErrShape says that the table's schema or layout does not fit the rows of the file.
	ErrShape = model.NewFailure(model.ExitData, topic, "the table cannot take the events of this file")
	// ErrOption says that an option for new tables contradicts the existing table.
	ErrOption = model.NewFailure(model.ExitUsage, topic, "the table exists with another layout")
)

// column is a column of a table: a column of the file, or the origin.
type column struct {
	name string
	// kind is its Iceberg type; nil means the type of UUIDs, which each table chooses.
	kind iceberg.Type
	doc  string
}

var (
	text    = iceberg.PrimitiveTypes.String
	long    = iceberg.PrimitiveTypes.Int64
	instant = iceberg.PrimitiveTypes.TimestampTz
)

// eventColumns are the columns of a table of events.
var eventColumns = []column{
	{"id", nil, "identity of the event, unique"},
	{"session_id", nil, ""},
	{"user_id", nil, ""},
	{"type", text, ""},
	{"name", text, ""},
	{"timestamp", instant, "time of the event, exact to the microsecond"},
	{"properties", text, "the event's properties, a JSON object"},
	{"device_type", text, ""},
	{"browser", text, ""},
	{"extra", text, "members from the API that have no column, a JSON object"},
	{"batch", long, "number of the commit in the file that stored the row"},
	{rows.OriginColumn, text, "the API that sent the event"},
}

// rejectColumns are the columns of a table of rejects. A row with resolved marks the earlier row with the
// same key as resolved.
var rejectColumns = []column{
	{"reject_key", text, "identity of the reject"},
	{"raw", text, "the element as the API sent it"},
	{"reason", text, "why datasync rejected the element"},
	{"id", nil, "identity of the event, if readable"},
	{"endpoint", text, ""},
	{"timestamp", instant, "time of the event, if readable"},
	{"batch", long, "number of the commit in the file that stored the reject"},
	{"resolved", iceberg.PrimitiveTypes.Bool, "true once the element is stored; the row has its key and no content"},
	{"resolved_batch", long, "number of the commit in the file that resolved the reject"},
	{rows.OriginColumn, text, "the API that sent the element"},
}

// columnsKey is the table property with each column's field id, because an engine may rename fields.
const columnsKey = "datasync.columns"

// shape says how to write the rows of a file for a table.
type shape struct {
	// columns are the columns of the file's rows, with the table's current names.
	columns []rows.Column
	// fields maps column names to field ids. changed is true if the table's properties lack them.
	fields  map[string]int
	changed bool
	// added are the columns that the table lacks, by id.
	added []column
	uuid  rows.UUIDType
	// spec is the partition spec, by its meaning, and dayField the id of its partition field.
	spec     iceberg.PartitionSpec
	by       rows.Partitioning
	dayField int
	sorted   []string        // sort columns
	schema   *iceberg.Schema // of the table, with the added columns
}

// key is equal for shapes that give equal files.
func (s *shape) key() string {
	return fmt.Sprint(s.columns, s.uuid, s.spec.ID())
}

// typeOf returns the type of a column.
func (s *shape) typeOf(c column) iceberg.Type {
	switch {
	case c.kind != nil:
		return c.kind
	case s.uuid == rows.UUIDAsUUID:
		return iceberg.PrimitiveTypes.UUID
	}
	return text
}

// shapeOf finds the columns of a file in a table. With replace, it adds dropped columns again. It fails
// with ErrShape or ErrOption.
func shapeOf(t *table.Table, columns []column, asked model.LakeTable, replace bool) (*shape, error) {
	name := strings.Join(t.Identifier(), ".")
	if v := t.Metadata().Version(); v > 2 {
		return nil, fmt.Errorf("table %s: %w: it has Iceberg's format version %d, and datasync writes version 2; export to a new table", name, ErrShape, v)
	}
	s := &shape{fields: map[string]int{}, uuid: rows.UUIDAsString, schema: t.Schema(), sorted: sortColumns(columns)}
	if text, ok := t.Properties()[columnsKey]; ok {
		if err := json.Unmarshal([]byte(text), &s.fields); err != nil {
			return nil, fmt.Errorf("table %s: %w: property %s is %q", name, ErrShape, columnsKey, text)
		}
	}
	first := true
	for _, c := range columns {
		field, ok, err := s.find(name, c, replace)
		if err != nil {
			return nil, err
		}
		if !ok {
			s.added = append(s.added, c)
			continue
		}
		switch {
		case c.kind != nil && field.Type.Equals(c.kind):
		case c.kind == nil && (field.Type.Equals(text) || field.Type.Equals(iceberg.PrimitiveTypes.UUID)):
			uuid := rows.UUIDAsString
			if !field.Type.Equals(text) {
				uuid = rows.UUIDAsUUID
			}
			if !first && uuid != s.uuid {
				return nil, fmt.Errorf("table %s: %w: some of its ids are of type uuid and some are of type string", name, ErrShape)
			}
			s.uuid, first = uuid, false
		default:
			return nil, fmt.Errorf("table %s: %w: column %s is of type %s, want %s", name, ErrShape, field.Name, field.Type, s.typeOf(c))
		}
		s.columns = append(s.columns, rows.Column{Name: c.name, As: field.Name, ID: field.ID})
	}
	if asked.UUID != "" && asked.UUID != string(s.uuid) && !first {
		return nil, fmt.Errorf("table %s: %w: its ids are of type %s; leave out --uuid, or export to a new table", name, ErrOption, s.uuid)
	}
	for _, f := range s.schema.Fields() {
		if f.Required && !slices.Contains(slices.Collect(maps.Values(s.fields)), f.ID) {
			return nil, fmt.Errorf("table %s: %w: its column %s must not be null, and the file has no such column; make it optional, or drop it", name, ErrShape, f.Name)
		}
	}
	s.add(t.Metadata().LastColumnID())
	return s, s.partition(t, asked.PartitionBy)
}

// find returns the field of a column, and false if the table lacks it.
func (s *shape) find(table string, c column, replace bool) (iceberg.NestedField, bool, error) {
	id, known := s.fields[c.name]
	if known {
		field, ok := s.schema.FindFieldByID(id)
		if ok {
			return field, true, nil
		}
		if !replace {
			return iceberg.NestedField{}, false, fmt.Errorf("table %s: %w: its column %s was dropped; write it again with --replace, or export to a new table", table, ErrShape, c.name)
		}
		delete(s.fields, c.name)
	}
	s.changed = true
	field, ok := s.schema.FindFieldByName(c.name)
	if !ok {
		return field, false, nil
	}
	for other, id := range s.fields {
		if id == field.ID {
			return field, false, fmt.Errorf("table %s: %w: its column %s has the name of another column of the file, %s", table, ErrShape, other, c.name)
		}
	}
	s.fields[c.name] = field.ID
	return field, true, nil
}

// add assigns ids to the columns that the table lacks.
func (s *shape) add(last int) {
	fields := append([]iceberg.NestedField(nil), s.schema.Fields()...)
	for _, c := range s.added {
		last++
		s.fields[c.name] = last
		s.columns = append(s.columns, rows.Column{Name: c.name, As: c.name, ID: last})
		fields = append(fields, iceberg.NestedField{ID: last, Name: c.name, Type: s.typeOf(c), Doc: c.doc})
	}
	if len(s.added) > 0 {
		s.schema = iceberg.NewSchemaWithIdentifiers(s.schema.ID, s.schema.IdentifierFieldIDs, fields...)
	}
}

// partition chooses a partition spec: the table's current one, or an earlier one if DuckDB cannot write the
// current one.
func (s *shape) partition(t *table.Table, asked string) error {
	all := t.Metadata().PartitionSpecs()
	specs := append([]iceberg.PartitionSpec{t.Spec()}, all...)
	for _, spec := range specs {
		by, field, ok := s.division(spec)
		if !ok {
			continue
		}
		if asked != "" && asked != string(by) {
			return fmt.Errorf("table %s: %w: it is partitioned by %s; leave out --partition-by, or export to a new table", strings.Join(t.Identifier(), "."), ErrOption, by)
		}
		s.spec, s.by, s.dayField = spec, by, field
		return nil
	}
	spec := t.Spec()
	return fmt.Errorf("table %s: %w: it is partitioned by %s, want the day of timestamp or nothing", strings.Join(t.Identifier(), "."), ErrShape, spec.String())
}

// division returns the partitioning of a spec, and whether DuckDB can write it.
func (s *shape) division(spec iceberg.PartitionSpec) (by rows.Partitioning, field int, ok bool) {
	by = rows.Unpartitioned
	for _, f := range spec.Fields() {
		switch f.Transform.(type) {
		case iceberg.VoidTransform:
			return "", 0, false // dropped fields would need values
		case iceberg.DayTransform:
			if by != rows.Unpartitioned || f.SourceID() != s.fields["timestamp"] {
				return "", 0, false
			}
			by, field = rows.ByDay, f.FieldID
		default:
			return "", 0, false
		}
	}
	return by, field, true
}

// fieldsText is the value of the property columnsKey.
func (s *shape) fieldsText() string {
	text, err := json.Marshal(s.fields)
	if err != nil {
		panic(err) // impossible for a map of integers
	}
	return string(text)
}
