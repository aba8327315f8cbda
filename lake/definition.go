package lake

import (
	"cmp"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/rows"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

const (
	// mergeCount is the number of manifests that a commit merges into one. At expireAt snapshots, an export
	// expires all but keptSnapshots. Otherwise each export would add two objects without end.
	mergeCount    = "20"
	keptSnapshots = 100
	expireAt      = 150
)

// define returns the definition of a table for the rows of a file.
func define(columns []column, asked model.LakeTable, by rows.Partitioning) (catalog.Definition, error) {
	s := &shape{uuid: rows.UUIDType(cmp.Or(asked.UUID, string(rows.UUIDAsString)))}
	var fields []iceberg.NestedField
	ids := map[string]int{}
	for i, c := range columns {
		ids[c.name] = i + 1
		fields = append(fields, iceberg.NestedField{ID: i + 1, Name: c.name, Type: s.typeOf(c), Doc: c.doc})
	}
	d := catalog.Definition{
		Schema:    iceberg.NewSchema(0, fields...),
		Partition: iceberg.UnpartitionedSpec,
		Sort:      table.UnsortedSortOrder,
		Properties: iceberg.Properties{
			"format-version":                     "2",
			table.ManifestMergeEnabledKey:        "true",
			table.ManifestMinMergeCountKey:       mergeCount,
			table.ParquetCompressionKey:          "zstd",
			table.MetadataPreviousVersionsMaxKey: "100",
			// Untruncated origins in the statistics show which files have rows of one origin only.
			table.MetricsModeColumnConfPrefix + "." + rows.OriginColumn: "full",
		},
	}
	if by == rows.ByDay {
		spec := iceberg.NewPartitionSpec(iceberg.PartitionField{
			SourceIDs: []int{ids["timestamp"]}, FieldID: 1000, Name: "timestamp_day", Transform: iceberg.DayTransform{},
		})
		d.Partition = &spec
	}
	var order []table.SortField
	for _, name := range sortColumns(columns) {
		order = append(order, table.SortField{SourceIDs: []int{ids[name]}, Transform: iceberg.IdentityTransform{}, Direction: table.SortASC, NullOrder: table.NullsFirst})
	}
	var err error
	d.Sort, err = table.NewSortOrder(1, order)
	return d, err
}

// sortColumns are the sort columns of a table's files.
func sortColumns(columns []column) []string {
	if columns[0].name == "reject_key" {
		return []string{"batch", "reject_key"}
	}
	return []string{"timestamp", "id"}
}
