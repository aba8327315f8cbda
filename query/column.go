package query

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// kind says how the values of a type are written.
type kind int

const (
	kindText kind = iota
	kindNumber
	kindBoolean
	kindTime // a date-time, which comes from the driver as it is
	kindJSON
	kindNested // lists, structs, maps and unions
)

// column is one of a result.
type column struct {
	name, typeName string
	kind           kind
	layout         string // of kindTime
}

// newColumn returns a column of the DuckDB type of that name.
func newColumn(name, typeName string) column {
	c := column{name: name, typeName: typeName}
	base, _, _ := strings.Cut(typeName, "(")
	switch {
	case strings.HasSuffix(typeName, "]"), base == "STRUCT", base == "MAP", base == "UNION":
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
	case "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ":
		c.kind, c.layout = kindTime, time.RFC3339Nano
	case "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS":
		c.kind, c.layout = kindTime, "2006-01-02T15:04:05.999999999"
	}
	return c
}

// text returns a value as text, nil for NULL.
func (c *column) text(value any, zone *time.Location) *string {
	var s string
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		s = v
	case time.Time:
		s = c.timeText(v, zone)
	case []byte:
		if id, err := uuid.FromBytes(v); err == nil && c.typeName == "UUID" {
			s = id.String()
		} else {
			s = fmt.Sprintf("\\x%X", v)
		}
	case map[string]any, []any:
		b, err := json.Marshal(v)
		if s = string(b); err != nil {
			s = fmt.Sprint(v)
		}
	default:
		s = fmt.Sprint(v)
	}
	return &s
}

func (c *column) timeText(t time.Time, zone *time.Location) string {
	switch c.typeName {
	case "DATE":
		return t.Format(time.DateOnly)
	case "TIME":
		return t.Format("15:04:05.999999")
	case "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE":
		return t.In(zone).Format(c.layout)
	}
	if c.layout == "" {
		return t.Format(time.RFC3339Nano)
	}
	return t.Format(c.layout)
}
