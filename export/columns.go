package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"datasync/internal/duck"
)

// list returns the SELECT list of the files: the columns in the form that the format needs,
// without those that are in the folders' names. Rows are known as e.
func (l *Layout) list(columns []duck.ColumnType) string {
	columns = l.written(columns)
	if l.Format == JSONLines {
		return l.line(columns) + " AS line"
	}
	var b strings.Builder
	for _, c := range columns {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.expression(c) + " AS " + identifier(l.header(c.Name)))
	}
	return b.String()
}

// written returns the columns that the files have. Readers find the others, by which rows are
// partitioned, in the folders' names.
func (l *Layout) written(columns []duck.ColumnType) []duck.ColumnType {
	var kept []duck.ColumnType
	for _, c := range columns {
		if !containsFold(l.PartitionBy, c.Name) {
			kept = append(kept, c)
		}
	}
	return kept
}

// expression returns the expression of a column in the form that the format needs.
func (l *Layout) expression(c duck.ColumnType) string {
	column := "e." + identifier(c.Name)
	switch {
	case l.Format == Parquet:
		return l.parquetExpression(c, column)
	case l.Excel:
		return l.excelExpression(c, column)
	case c.Type == "TIMESTAMP WITH TIME ZONE":
		// Through TIMESTAMP, as a cast of TIMESTAMPTZ loads ICU's calendar, which is slow. An
		// infinite instant has no epoch: its text is DuckDB's.
		return "coalesce(replace(CAST(make_timestamp(epoch_us(" + column + ")) AS VARCHAR), ' ', 'T') || 'Z', CAST(" + column + " AS VARCHAR))"
	case strings.HasPrefix(c.Type, "TIMESTAMP") && !strings.HasSuffix(c.Type, "]"):
		return "replace(CAST(" + column + " AS VARCHAR), ' ', 'T')"
	case l.Format == JSONLines && (c.Type == "DOUBLE" || c.Type == "FLOAT"):
		// JSON has no numbers for NaN and the infinities.
		return "CASE WHEN isfinite(" + column + ") THEN to_json(" + column + ") ELSE to_json(CAST(" + column + " AS VARCHAR)) END"
	case l.Safe && isText(c.Type):
		return "CASE WHEN " + startsFormula("CAST("+column+" AS VARCHAR)") + " THEN '''' || CAST(" + column + " AS VARCHAR) ELSE CAST(" + column + " AS VARCHAR) END"
	}
	return column
}

func (l *Layout) parquetExpression(c duck.ColumnType, column string) string {
	if fileType := l.Types.fileType(c.Type); fileType != c.Type {
		return "CAST(" + column + " AS " + fileType + ")"
	}
	return column
}

// isText reports whether the text of such values can begin with any character.
func isText(typeName string) bool {
	base, _, _ := strings.Cut(typeName, "(")
	return base == "VARCHAR" || base == "ENUM" || base == "BLOB" || base == "UNION"
}

// formulas are the first characters by which spreadsheets take a text for a formula (OWASP,
// "CSV Injection"; ASVS 1.2.10).
const formulas = "=+-@\t\n\r\x00＝＋－＠"

// startsFormula returns the condition that spreadsheets take a text for a formula.
func startsFormula(column string) string {
	codes := make([]string, 0, len(formulas))
	for _, c := range formulas {
		codes = append(codes, strconv.Itoa(int(c)))
	}
	// Not IN: DuckDB makes a join of a long list, which loses the order of rows.
	return "list_contains([" + strings.Join(codes, ", ") + "], unicode(" + column + "))"
}

// header returns a column's name in the files.
func (l *Layout) header(column string) string {
	if first, _ := utf8.DecodeRuneInString(column); l.Safe && strings.ContainsRune(formulas, first) {
		return "'" + column
	}
	return column
}

// line returns the expression of a row's JSON object. DuckDB's own JSON writer parses JSON
// values and writes them anew, which changes numbers and escapes.
func (l *Layout) line(columns []duck.ColumnType) string {
	var b strings.Builder
	b.WriteString("concat(") // copies each text once; a chain of || copies its left side each time
	between := "{"
	for _, c := range columns {
		value := l.expression(c)
		if c.Type == "JSON" {
			// JSON strings escape line ends, so an unescaped one is white space. translate needs
			// several times the text's memory: it only runs on texts with a line end.
			value = "CAST(" + value + " AS VARCHAR)"
			value = "CASE WHEN contains(" + value + ", chr(10)) OR contains(" + value + ", chr(13)) THEN translate(" + value + ", chr(10) || chr(13), '  ') ELSE " + value + " END"
		} else {
			value = "CAST(to_json(" + value + ") AS VARCHAR)"
		}
		b.WriteString(literal(between+jsonText(l.header(c.Name))+":") + ", coalesce(" + value + ", 'null'), ")
		between = ","
	}
	if len(columns) == 0 {
		return "'{}'"
	}
	b.WriteString("'}')")
	return b.String()
}

// jsonText returns a text as a JSON string.
func jsonText(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // never fails for a string
	return strings.TrimSuffix(b.String(), "\n")
}

// copyTo returns the COPY of rows, with these columns, to a path. DuckDB must write to that very path: a temporary
// name of its own would not be the file that was opened for it.
func (l *Layout) copyTo(rows string, columns []duck.ColumnType, path string) string {
	options := ""
	switch l.Format {
	case Parquet:
		options = fmt.Sprintf("FORMAT parquet, ROW_GROUP_SIZE %d", l.RowGroup)
	case CSV:
		options = l.csvOptions(columns)
	case JSONLines:
		// The only column already holds whole lines of JSON.
		options = `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01'`
	}
	compression := l.Compression
	if compression == "none" && l.Format == Parquet {
		compression = "uncompressed"
	}
	return fmt.Sprintf("COPY (%s) TO %s (%s, COMPRESSION %s, USE_TMP_FILE false)", rows, literal(path), options, compression)
}
