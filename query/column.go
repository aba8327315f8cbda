package query

import (
	"fmt"
	"math"
	"strings"
	"time"

	"datasync/internal/duck"
)

// kind says how sinks write the values of a type.
type kind int

const (
	kindText kind = iota
	kindNumber
	kindBoolean
	kindTime // a date with a time of day, read as a number
	kindJSON
	kindNested // lists, structs, maps and unions
)

// column is a column of a result.
type column struct {
	name, typeName string
	kind           kind
	unit           time.Duration // of kindTime: what the number counts since 1970
	zoned          bool          // of kindTime: it has a time zone
}

// times are the types of kindTime.
var times = map[string]column{
	"TIMESTAMP WITH TIME ZONE": {unit: time.Microsecond, zoned: true},
	"TIMESTAMP":                {unit: time.Microsecond},
	"TIMESTAMP_S":              {unit: time.Second},
	"TIMESTAMP_MS":             {unit: time.Millisecond},
	"TIMESTAMP_NS":             {unit: time.Nanosecond},
}

func newColumn(t duck.ColumnType) column {
	if c, ok := times[t.Type]; ok {
		c.name, c.typeName, c.kind = t.Name, t.Type, kindTime
		return c
	}
	c := column{name: t.Name, typeName: t.Type}
	base, _, _ := strings.Cut(t.Type, "(")
	switch {
	case strings.HasSuffix(t.Type, "]"), base == "STRUCT", base == "MAP", base == "UNION", base == "VARIANT":
		c.kind = kindNested
		return c
	}
	switch base {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
		"BIGNUM", "DECIMAL", "FLOAT", "DOUBLE":
		c.kind = kindNumber
	case "BOOLEAN":
		c.kind = kindBoolean
	case "JSON":
		c.kind = kindJSON
	}
	return c
}

// cast returns the expression of the column's text, which DuckDB writes itself: it knows all
// types.
func (c *column) cast(name string, f Format) string {
	switch {
	case c.kind == kindTime:
		return name
	case c.kind == kindNested && (f == JSON || f == JSONLines):
		return fmt.Sprintf("CAST(to_json(%s) AS VARCHAR)", name)
	}
	return fmt.Sprintf("CAST(%s AS VARCHAR)", name)
}

// appendTime appends a value of kindTime by RFC 3339, without an offset if it has no time zone.
func (c *column) appendTime(b []byte, v int64, zone *time.Location) []byte {
	switch v {
	case math.MaxInt64:
		return append(b, "infinity"...)
	case -math.MaxInt64:
		return append(b, "-infinity"...)
	}
	perSecond := int64(time.Second / c.unit)
	seconds, rest := v/perSecond, v%perSecond
	t := time.Unix(seconds, rest*int64(c.unit))
	if c.zoned {
		return t.In(zone).AppendFormat(b, time.RFC3339Nano)
	}
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.999999999")
}

// displayType returns the type as DuckDB's own tables show it.
func (c *column) displayType() string {
	name := c.typeName
	for _, t := range [][2]string{
		{"UTINYINT", "uint8"}, {"USMALLINT", "uint16"}, {"UINTEGER", "uint32"}, {"UBIGINT", "uint64"}, {"UHUGEINT", "uint128"},
		{"TINYINT", "int8"}, {"SMALLINT", "int16"}, {"INTEGER", "int32"}, {"BIGINT", "int64"}, {"HUGEINT", "int128"},
	} {
		if rest, ok := strings.CutPrefix(name, t[0]); ok && strings.Trim(rest, "[]0123456789") == "" {
			return t[1] + rest
		}
	}
	if name == `"NULL"` {
		return "null"
	}
	return strings.ToLower(name)
}
