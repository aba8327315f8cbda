package export

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// difference says in which option the export of the other manifest differs, so that its files
// cannot be added to those of m. It is empty if none does.
func (m *manifest) difference(other *manifest) string {
	for _, d := range []struct {
		name      string
		mine, its any
	}{
		{"format", m.Format, other.Format},
		{"partitioning", strings.Join(m.Layout.PartitionBy, ","), strings.Join(other.Layout.PartitionBy, ",")},
		{"escaping of folder names", string(m.Layout.Escaping), string(other.Layout.Escaping)},
		{"file size", m.Layout.FileSize, other.Layout.FileSize},
		{"compression", m.Layout.Compression, other.Layout.Compression},
		{"row group size", m.Layout.RowGroup, other.Layout.RowGroup},
		{"set of types", string(m.types()), string(other.types())},
		{"safety from formulas", m.Layout.Safe, other.Layout.Safe},
		{"form for Excel", m.Layout.Excel, other.Layout.Excel},
		{"delimiter", m.Layout.Delimiter, other.Layout.Delimiter},
		{"time zone", m.Layout.Timezone, other.Layout.Timezone},
		{"query", m.Selection.Query, other.Selection.Query},
		{"condition", m.Selection.Where, other.Selection.Where},
		{"beginning", timeText(m.Selection.Since), timeText(other.Selection.Since)},
		{"end", timeText(m.Selection.Until), timeText(other.Selection.Until)},
		{"origin", m.Origin, other.Origin},
	} {
		if d.mine != d.its {
			return fmt.Sprintf("its %s is %s, not %s", d.name, shorten(orNone(d.mine)), shorten(orNone(d.its)))
		}
	}
	if !slices.Equal(m.Schema, other.Schema) {
		return fmt.Sprintf("its columns are %s, not %s", shorten(m.Schema), shorten(other.Schema))
	}
	return ""
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func orNone(v any) any {
	if v == "" || v == int64(0) {
		return "none"
	}
	return v
}

// continues reports whether an export could have made the manifest by adding files to the one
// before.
func (m *manifest) continues(before *manifest) bool {
	if before.difference(m) != "" || m.Batch < before.Batch || len(m.Files) < len(before.Files) {
		return false
	}
	rows, bytes := before.Rows, before.Bytes
	for i, f := range m.Files {
		if i >= len(before.Files) {
			rows, bytes = rows+f.Rows, bytes+f.Bytes
			continue
		}
		if b := before.Files[i]; f.Path != b.Path || f.Rows != b.Rows || f.Bytes != b.Bytes || f.SHA256 != b.SHA256 {
			return false
		}
	}
	return m.Rows == rows && m.Bytes == bytes
}
