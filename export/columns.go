package export

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"datasync/internal/duck"
)

// timeLayout is that of instants in CSV, JSON lines and manifests: RFC 3339 in UTC.
const timeLayout = "2006-01-02T15:04:05.999999Z07:00"

// expression is a column of the source, known there as e, as the format takes it.
func (l *Layout) expression(c duck.ColumnType) string {
	column := "e." + name(c.Name)
	switch {
	case l.Format == Parquet:
		return l.parquetExpression(c, column)
	case c.Type == "TIMESTAMP WITH TIME ZONE":
		// Without the calendar of time zones this takes no time to speak of. What is
		// infinite has no other text than DuckDB's.
		return "coalesce(replace(CAST(make_timestamp(epoch_us(" + column + ")) AS VARCHAR), ' ', 'T') || 'Z', CAST(" + column + " AS VARCHAR))"
	case strings.HasPrefix(c.Type, "TIMESTAMP") && !strings.HasSuffix(c.Type, "]"):
		return "replace(CAST(" + column + " AS VARCHAR), ' ', 'T')"
	case l.Format == JSONLines && (c.Type == "DOUBLE" || c.Type == "FLOAT"):
		// JSON has no number for what is none.
		return "CASE WHEN isfinite(" + column + ") THEN to_json(" + column + ") ELSE to_json(CAST(" + column + " AS VARCHAR)) END"
	case l.Safe && isText(c.Type):
		return "CASE WHEN " + startsFormula("CAST("+column+" AS VARCHAR)") + " THEN '''' || CAST(" + column + " AS VARCHAR) ELSE CAST(" + column + " AS VARCHAR) END"
	}
	return column
}

func (l *Layout) parquetExpression(c duck.ColumnType, column string) string {
	element := strings.TrimRight(c.Type, "[]0123456789")
	switch {
	case l.UUIDText && element == "UUID":
		return "CAST(" + column + " AS VARCHAR" + strings.TrimPrefix(c.Type, element) + ")"
	case c.Type == "HUGEINT" || c.Type == "UHUGEINT":
		// DuckDB would write a DOUBLE, which has 53 bits: a sum would come out wrong.
		return "CAST(" + column + " AS DECIMAL(38, 0))"
	}
	return column
}

// isText reports whether values of the type may begin with anything.
func isText(typeName string) bool {
	base, _, _ := strings.Cut(typeName, "(")
	return base == "VARCHAR" || base == "ENUM" || base == "BLOB" || base == "UNION"
}

// formulas are the characters with which a text begins that spreadsheets take for a formula
// (OWASP, "CSV Injection"; ASVS 1.2.10).
const formulas = "=+-@\t\n\r\x00＝＋－＠"

// startsFormula is the condition that spreadsheets take a text for a formula.
func startsFormula(column string) string {
	codes := make([]string, 0, len(formulas))
	for _, c := range formulas {
		codes = append(codes, strconv.Itoa(int(c)))
	}
	return "unicode(" + column + ") IN (" + strings.Join(codes, ", ") + ")"
}

// header is a column's name in the export.
func (l *Layout) header(column string) string {
	if first, _ := utf8.DecodeRuneInString(column); l.Safe && strings.ContainsRune(formulas, first) {
		return "'" + column
	}
	return column
}

// list is the columns as the format takes them, without those of the folders' names.
func (l *Layout) list(columns []duck.ColumnType) string {
	if l.Format == JSONLines {
		return l.line(l.written(columns)) + " AS line"
	}
	var b strings.Builder
	for _, c := range l.written(columns) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.expression(c) + " AS " + name(l.header(c.Name)))
	}
	return b.String()
}

// line is a JSON object of the columns. DuckDB's own writer of JSON reads what is JSON
// already and writes it anew, which changes numbers and escapes.
func (l *Layout) line(columns []duck.ColumnType) string {
	var b strings.Builder
	b.WriteString("concat(") // which copies each text once, where || copies all that stands before it
	between := "{"
	for _, c := range columns {
		value := l.expression(c)
		if c.Type == "JSON" {
			// A line end can only stand between its parts. Where there is none the text is not
			// taken apart, which needs several times its memory.
			value = "CAST(" + value + " AS VARCHAR)"
			value = "CASE WHEN contains(" + value + ", chr(10)) OR contains(" + value + ", chr(13)) THEN translate(" + value + ", chr(10) || chr(13), '  ') ELSE " + value + " END"
		} else {
			value = "CAST(to_json(" + value + ") AS VARCHAR)"
		}
		b.WriteString(text(between+jsonText(l.header(c.Name))+":") + ", coalesce(" + value + ", 'null'), ")
		between = ","
	}
	if len(columns) == 0 {
		return "'{}'"
	}
	b.WriteString("'}')")
	return b.String()
}

// jsonText is a text as JSON.
func jsonText(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a text can always be
	return strings.TrimSuffix(b.String(), "\n")
}

// written are the columns that stand in the files: those by which rows are spread over
// folders stand in the folders' names, where readers find them.
func (l *Layout) written(columns []duck.ColumnType) []duck.ColumnType {
	var kept []duck.ColumnType
	for _, c := range columns {
		if !containsFold(l.PartitionBy, c.Name) {
			kept = append(kept, c)
		}
	}
	return kept
}

// containsFold reports whether a name is in a list. SQL's names have no case.
func containsFold(list []string, name string) bool {
	for _, s := range list {
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}
