package store

import "datasync/internal/model"

const (
	// fixedBytes is the size of a row's columns of fixed width: three UUIDs of 16 bytes, and instant and batch,
	// which DuckDB compresses.
	fixedBytes = 3*16 + 4
	// textBytes is the size of a reference to an uncompressed text, codeBytes that of a reference into a
	// dictionary.
	textBytes, codeBytes = 4, 0.6
)

// RowBytes estimates the size in bytes of an event like these in a large file. Names are not compressed.
// Of other texts, each distinct one is stored once for each row group.
func RowBytes(events []model.Event) float64 {
	if len(events) == 0 {
		return 0
	}
	names := 0
	columns := make([]dictionary, 5)
	for i := range events {
		e := &events[i]
		names += len(e.Name.String)
		for n, text := range []string{e.Type, e.Properties, e.DeviceType.String, e.Browser.String, e.Extra} {
			columns[n].add(text)
		}
	}
	bytes := fixedBytes + textBytes + float64(names)/float64(len(events))
	for n := range columns {
		bytes += columns[n].perRow(len(events))
	}
	return bytes
}

// dictionary is the distinct texts of a column.
type dictionary struct {
	seen  map[string]bool
	bytes int // of all distinct texts
}

func (d *dictionary) add(text string) {
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	if !d.seen[text] {
		d.seen[text] = true
		d.bytes += len(text)
	}
}

// perRow estimates the bytes of the column in a row. If a page has few distinct texts, a row group has hardly
// more of them. If it has many, a row group has as many for each row as the page.
func (d *dictionary) perRow(rows int) float64 {
	if 2*len(d.seen) < rows {
		return codeBytes
	}
	return textBytes + float64(d.bytes)/float64(rows)
}
