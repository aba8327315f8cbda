package export

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// key is what rows are spread over folders by.
type key struct {
	name string
	// value is its value in SQL.
	value string
	// show makes of a value in SQL the text in a folder's name, and mean makes of such a
	// text the value.
	show, mean func(string) string
}

// values are bound to the parameters of a statement: nothing that an API wrote is a part of
// SQL.
type values []sql.NullString

// bind adds a value of a key and returns it in SQL.
func (v *values) bind(k *key, value sql.NullString) string {
	*v = append(*v, value)
	return k.mean(fmt.Sprintf("CAST($%d AS VARCHAR)", len(*v)))
}

// columnKey is the key that a column is.
func columnKey(c *duck.ColumnType) key {
	same := func(s string) string { return s }
	return key{c.Name, "CAST(e." + name(c.Name) + " AS VARCHAR)", same, same}
}

// spanKey is a part of the calendar that rows can be spread by, in UTC. Each names a whole
// span of time, so that any of them may stand alone. Values are times, which take less
// time than texts.
func spanKey(wanted string, at *duck.ColumnType) (key, bool) {
	wanted = strings.ToLower(wanted)
	layout := map[string]string{"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "hour": "%Y-%m-%dT%H"}[wanted]
	if layout == "" || at == nil {
		return key{}, false
	}
	truncated := func(s string) string {
		if wanted == "day" {
			return "CAST(" + s + " AS DATE)" // in half the time
		}
		return "date_trunc(" + text(wanted) + ", " + s + ")"
	}
	return key{
		name: wanted,
		// As in expression: without the calendar of time zones.
		value: truncated("make_timestamp(epoch_us(e." + name(at.Name) + "))"),
		show:  func(s string) string { return "strftime(" + s + ", " + text(layout) + ")" },
		mean:  func(s string) string { return truncated("strptime(" + s + ", " + text(layout) + ")") },
	}, true
}

// maxFolders is how many folders rows are spread over at most: readers open them all.
const maxFolders = 10_000

// keys are the layout's, in the terms of the source.
func (l *Layout) keys(src *source) ([]key, error) {
	var keys []key
	for i, wanted := range l.PartitionBy {
		if containsFold(l.PartitionBy[:i], wanted) {
			return nil, unfit("partition by %s twice", wanted)
		}
		if c := src.column(wanted); c != nil {
			keys = append(keys, columnKey(c))
			continue
		}
		k, ok := spanKey(wanted, src.column("timestamp"))
		if !ok {
			return nil, unfit("there is no column %q to partition by; day, month, year and hour come from timestamp", wanted)
		}
		keys = append(keys, k)
	}
	if len(keys) > 0 && len(l.written(src.columns)) == 0 {
		return nil, unfit("no column is left beside those to partition by")
	}
	return keys, nil
}

// namesOf are short names of the keys: k0, k1 and so on.
func namesOf(keys []key) []string {
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = fmt.Sprint("k", i)
	}
	return names
}

// part is the rows of one folder, and where they lie on the source's axis.
type part struct {
	values      []sql.NullString // of the keys
	rows        int64
	first, last int64
	// cuts divide it into files, each cut the first number of one.
	cuts []int64
}

// readParts finds the parts, in the order of their values.
func readParts(ctx context.Context, s *inspect.Session, src *source, keys []key) ([]part, error) {
	numbers := "count(*), coalesce(min(" + src.axis + "), 0), coalesce(max(" + src.axis + "), 0)"
	query := src.rows(numbers)
	if len(keys) > 0 {
		var shown, values []string
		for i, name := range namesOf(keys) {
			shown = append(shown, keys[i].show(name))
			values = append(values, keys[i].value)
		}
		query = fmt.Sprintf("SELECT %s, n, first, last FROM (%s GROUP BY ALL) g(%s, n, first, last) ORDER BY ALL",
			strings.Join(shown, ", "), src.rows(strings.Join(values, ", ")+", "+numbers), strings.Join(namesOf(keys), ", "))
	}
	answers, err := ask(ctx, s, query, len(keys), 3)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	if len(answers) > maxFolders {
		return nil, unfit("that makes %d folders, and %d are the most: partition by something coarser", len(answers), maxFolders)
	}
	parts := make([]part, len(answers))
	for i, a := range answers {
		parts[i] = part{values: a.texts, rows: a.numbers[0], first: a.numbers[1], last: a.numbers[2]}
	}
	return parts, nil
}

// samplesAFile is how many rows of each file are looked at to see where to cut.
const samplesAFile = 128

// cut divides parts that have more than a file's rows.
func cut(ctx context.Context, s *inspect.Session, src *source, keys []key, parts []part, fileRows int64) error {
	step := max(1, min(1024, fileRows/samplesAFile))
	byValues := map[string]*part{}
	for i := range parts {
		if parts[i].rows > fileRows {
			byValues[valuesKey(parts[i].values)] = &parts[i]
		}
	}
	if len(byValues) == 0 {
		return nil
	}
	var columns []string
	for _, k := range keys {
		columns = append(columns, k.show(k.value))
	}
	query := src.rows(strings.Join(append(columns, src.axis+" AS axis"), ", "), fmt.Sprintf("e.rowid %% %d = 0", step)) + " ORDER BY axis"
	answers, err := ask(ctx, s, query, len(keys), 1)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	samples := map[string][]int64{}
	for _, a := range answers {
		k := valuesKey(a.texts)
		samples[k] = append(samples[k], a.numbers[0])
	}
	for k, p := range byValues {
		p.cutAt(samples[k], fileRows)
	}
	return nil
}

// cutAt divides the part into files of as equal numbers of rows as the samples tell. Rows
// at the same place on the axis stay together.
func (p *part) cutAt(samples []int64, fileRows int64) {
	files := int(math.Ceil(float64(p.rows) / float64(fileRows)))
	before := p.first
	for i := 1; i < files; i++ {
		n := i * len(samples) / files
		if n < len(samples) && samples[n] > before {
			p.cuts = append(p.cuts, samples[n])
			before = samples[n]
		}
	}
}

// valuesKey is a text that no other values have.
func valuesKey(values []sql.NullString) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%t %q ", v.Valid, v.String)
	}
	return b.String()
}

// piece is a file: some or all rows of a part.
type piece struct {
	part *part
	path string // within the folder
	// first is the first number on the axis, next the first that is none of the file's.
	first, next int64
}

// groupRows is how many rows of small files are sorted at once, and groupFiles how many
// files they are at most: each has values of its own in the statement.
const (
	groupRows  = 300_000
	groupFiles = 1000
)

// groups puts the files together that are written at once: small ones that follow each
// other, or one.
func groups(pieces []piece) [][]piece {
	var all [][]piece
	var rows int64
	for _, p := range pieces {
		whole := len(p.part.cuts) == 0
		n := len(all) - 1
		if whole && n >= 0 && len(all[n][0].part.cuts) == 0 && rows+p.part.rows <= groupRows && len(all[n]) < groupFiles {
			all[n], rows = append(all[n], p), rows+p.part.rows
			continue
		}
		all, rows = append(all, []piece{p}), p.part.rows
	}
	return all
}

// pieces names the files of all parts. The names carry the batches of which events are in
// them, so that those of later exports to the same folder are others.
func (l *Layout) pieces(parts []part, keys []key, stem string) []piece {
	var pieces []piece
	for i := range parts {
		p := &parts[i]
		folder := hivePath(keys, p.values)
		borders := append(append([]int64{p.first}, p.cuts...), p.last+1)
		for n := range len(borders) - 1 {
			pieces = append(pieces, piece{p, fmt.Sprintf("%s%s-%04d%s", folder, stem, n, l.ending()), borders[n], borders[n+1]})
		}
	}
	return pieces
}

// hiveNull is how Hive writes NULL in the name of a folder.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// hivePath is the folders of a part, such as "day=2026-01-31/type=click/".
func hivePath(keys []key, values []sql.NullString) string {
	var b strings.Builder
	for i, k := range keys {
		b.WriteString(hiveName(k, values[i]) + "/")
	}
	return b.String()
}

// hiveName is the folder of a value, such as "type=click", by the conventions of Hive.
func hiveName(k key, value sql.NullString) string {
	text := hiveNull
	if value.Valid {
		text = hiveEscape(value.String)
		if text == hiveNull || strings.EqualFold(text, "NULL") {
			// A text that looks like NULL is none.
			text = fmt.Sprintf("%%%02X%s", text[0], text[1:])
		}
	}
	return hiveEscape(k.name) + "=" + text
}

// hiveEscape writes what is not plain as %XX.
func hiveEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
