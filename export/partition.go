package export

import (
	"database/sql"
	"fmt"
	"strings"

	"datasync/internal/duck"
)

// partitionKey is a key by which rows are partitioned.
type partitionKey struct {
	name string
	// value is the expression of a row's value.
	value string
	// format and parse map expressions: from a value to the text in a folder's name, and from
	// such a text to the value.
	format, parse func(string) string
}

// partition is the rows of one folder.
type partition struct {
	values      []sql.NullString // of the keys, as texts
	rows        int64
	first, last int64 // the least and the greatest number of the sort key
	// cuts divide it into files: each is the least number of one.
	cuts []int64
}

// partitionKeys returns the layout's keys for a source. It fails with ErrOptions.
func (l *Layout) partitionKeys(src *source) ([]partitionKey, error) {
	var keys []partitionKey
	for i, wanted := range l.PartitionBy {
		if containsFold(l.PartitionBy[:i], wanted) {
			return nil, invalid("--partition-by names %s twice", wanted)
		}
		if c := src.column(wanted); c != nil {
			keys = append(keys, columnKey(c))
			continue
		}
		k, ok := l.calendarKey(wanted, src.column("timestamp"))
		if !ok {
			return nil, invalid("--partition-by %q: there is no such column; day, month, year and hour come from timestamp", wanted)
		}
		keys = append(keys, k)
	}
	if err := checkKeyNames(keys); err != nil {
		return nil, err
	}
	if len(keys) > 0 && len(l.written(src.columns)) == 0 {
		return nil, invalid("--partition-by names all columns: leave out one")
	}
	return keys, nil
}

func columnKey(c *duck.ColumnType) partitionKey {
	same := func(s string) string { return s }
	return partitionKey{c.Name, "CAST(e." + identifier(c.Name) + " AS VARCHAR)", same, same}
}

// calendarKey returns the key of a unit of the calendar, in the layout's time zone. Its values name the whole
// period ("2026-01"), so that each key can be used alone. They are times in SQL, as texts take
// longer to compare.
func (l *Layout) calendarKey(unit string, at *duck.ColumnType) (partitionKey, bool) {
	unit = strings.ToLower(unit)
	layout := map[string]string{"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y", "hour": "%Y-%m-%dT%H"}[unit]
	if layout == "" || at == nil {
		return partitionKey{}, false
	}
	truncate := func(s string) string {
		if unit == "day" {
			return "CAST(" + s + " AS DATE)" // takes half the time of date_trunc
		}
		return "date_trunc(" + literal(unit) + ", " + s + ")"
	}
	return partitionKey{
		name:   unit,
		value:  truncate(l.local("e." + identifier(at.Name))),
		format: func(s string) string { return "strftime(" + s + ", " + literal(layout) + ")" },
		parse:  func(s string) string { return truncate("strptime(" + s + ", " + literal(layout) + ")") },
	}, true
}

// keyAliases returns short names for the keys in SQL: k0, k1 and so on.
func keyAliases(keys []partitionKey) []string {
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = fmt.Sprint("k", i)
	}
	return names
}

// values are the arguments of a statement. Texts that an API wrote only reach SQL as
// parameters.
type values []sql.NullString

// bind adds a key's text and returns the expression of its value.
func (v *values) bind(k *partitionKey, text sql.NullString) string {
	*v = append(*v, text)
	return k.parse(fmt.Sprintf("CAST($%d AS VARCHAR)", len(*v)))
}

// uniqueKey returns a text that no other values have.
func uniqueKey(values []sql.NullString) string {
	var b strings.Builder
	for _, v := range values {
		fmt.Fprintf(&b, "%t %q ", v.Valid, v.String)
	}
	return b.String()
}
