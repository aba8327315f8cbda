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
	// ErrShape means that a table cannot take the rows of a file as they are.
	ErrShape = model.NewFailure(model.ExitData, topic, "the table cannot take the events of this file")
	// ErrOption means that an option is for new tables, and the table exists with another value.
	ErrOption = model.NewFailure(model.ExitUsage, topic, "the table exists with another layout")
)

// column is a column of a table: a column of the file, or the origin.
type column struct {
	name string
	// kind is its Iceberg type; nil is that of UUIDs, which each table chooses.
	kind iceberg.Type
	doc  string
}

var (
	text    = iceberg.PrimitiveTypes.String
	long    = iceberg.PrimitiveTypes.Int64
	instant = iceberg.PrimitiveTypes.TimestampTz
)

// eventColumns are those of a table of events.
var eventColumns = []column{
	{"id", nil, "identity of the event: it stands once"},
	{"session_id", nil, ""},
	{"user_id", nil, ""},
	{"type", text, ""},
	{"name", text, ""},
	{"timestamp", instant, "when it happened, exact to the microsecond"},
	{"properties", text, "the event's own properties, a JSON object"},
	{"device_type", text, ""},
	{"browser", text, ""},
	{"extra", text, "what the API sent and no column holds, a JSON object"},
	{"batch", long, "number of the commit in the file that stored the row"},
	{rows.OriginColumn, text, "the API that the event is from"},
}

// rejectColumns are those of a table of rejects. A row with resolved says that the reject with its key, a
// row before, was resolved.
var rejectColumns = []column{
	{"reject_key", text, "identity of the reject"},
	{"raw", text, "what the API sent"},
	{"reason", text, "why it is no event"},
	{"id", nil, "identity of the event, where it can be read"},
	{"endpoint", text, ""},
	{"timestamp", instant, "when it happened, where it can be read"},
	{"batch", long, "number of the commit in the file that stored the reject"},
	{"resolved", iceberg.PrimitiveTypes.Bool, "the element was stored after all: the row has its key and no content"},
	{"resolved_batch", long, "number of the commit at which it was resolved"},
	{rows.OriginColumn, text, "the API that the element is from"},
}

// columnsKey is the table property that says which field each column is: an engine may rename fields.
const columnsKey = "datasync.columns"

// shape says how the rows of a file are written for a table.
type shape struct {
	// columns are those of the file's rows, with the names that the table gives them today.
	columns []rows.Column
	// fields are the ids by the names of the columns, and changed says that the table does not have
	// them in its properties yet.
	fields  map[string]int
	changed bool
	// added are columns that the table lacks, in the order of their ids.
	added []column
	uuid  rows.UUIDType
	// spec divides the rows, by says how, and dayField is its field for that.
	spec     iceberg.PartitionSpec
	by       rows.Partitioning
	dayField int
	sorted   []string        // the columns by which rows are sorted
	schema   *iceberg.Schema // of the table, and with the columns that are added
}

// key is equal for shapes whose files are the same.
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

// shapeOf finds the columns of a file in a table. With replace a column that somebody dropped is added
// anew. It fails with ErrShape or ErrOption.
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

// find returns the field of a column, and false if the table has none.
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

// add gives ids to the columns that the table lacks.
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

// partition chooses how rows are divided: as the table does it today, or as it did before an engine
// changed that to what DuckDB cannot write.
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

// division tells how a partition spec divides rows, and whether rows can be written for it.
func (s *shape) division(spec iceberg.PartitionSpec) (by rows.Partitioning, field int, ok bool) {
	by = rows.Unpartitioned
	for _, f := range spec.Fields() {
		switch f.Transform.(type) {
		case iceberg.VoidTransform:
			return "", 0, false // values for dropped fields would be needed
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
		panic(err) // a map of integers
	}
	return string(text)
}
