package export

import (
	"fmt"
	"strings"

	"datasync/internal/duck"
)

// MaxExcelRows is the number of rows of a file that Excel opens, without the header. It ignores the
// rest.
const MaxExcelRows = 1<<20 - 1

const (
	// byteOrderMark tells Excel that a file is UTF-8.
	byteOrderMark = "\ufeff"
	// excelTime is the form of a time that Excel recognizes in all languages.
	excelTime = "'%Y-%m-%d %H:%M:%S'"
	// excelDigits is the number of digits that Excel keeps of a number.
	excelDigits = 15
)

// changedByExcel matches texts that Excel would change to other numbers: it drops leading zeros and
// digits past the 15th, and evaluates exponents.
var changedByExcel = fmt.Sprintf("^(0[0-9]+|[0-9]{%d,}|[0-9]+[eE][0-9]+)$", excelDigits+1)

// local returns the SQL expression of an instant's local time, as a TIMESTAMP.
func (l *Layout) local(instant string) string {
	if l.Timezone == "" {
		// A cast of TIMESTAMPTZ loads ICU's calendar, which is slow.
		return "make_timestamp(epoch_us(" + instant + "))"
	}
	return "timezone(" + literal(l.Timezone) + ", " + instant + ")"
}

// excelExpression returns the SQL expression that writes a column for Excel.
func (l *Layout) excelExpression(c duck.ColumnType, column string) string {
	text := "CAST(" + column + " AS VARCHAR)"
	base, _, _ := strings.Cut(c.Type, "(")
	switch {
	case strings.HasSuffix(c.Type, "]"):
		return column
	case c.Type == "TIMESTAMP WITH TIME ZONE":
		return "coalesce(strftime(" + l.local(column) + ", " + excelTime + "), " + text + ")"
	case strings.HasPrefix(c.Type, "TIMESTAMP"):
		return "strftime(CAST(" + column + " AS TIMESTAMP), " + excelTime + ")"
	case base == "BIGINT" || base == "UBIGINT" || base == "HUGEINT" || base == "UHUGEINT" || base == "BIGNUM" || base == "DECIMAL":
		return marked("strlen(translate("+text+", '-.', '')) > "+fmt.Sprint(excelDigits), text)
	case c.Type == "JSON":
		return marked(startsChanged(text), text)
	case isText(c.Type), c.Type == "INTERVAL":
		// Excel shows a carriage return in a cell as a box.
		plain := "replace(replace(" + text + ", chr(13) || chr(10), chr(10)), chr(13), chr(10))"
		return marked(startsFormula(text)+" OR "+startsChanged(text), plain)
	}
	return column
}

// marked puts ' before a text if a condition is true, so that Excel shows it as text.
func marked(condition, text string) string {
	return "CASE WHEN " + condition + " THEN '''' || " + text + " ELSE " + text + " END"
}

// startsChanged returns the SQL condition for texts that Excel would change.
func startsChanged(text string) string {
	return "unicode(" + text + ") BETWEEN 48 AND 57 AND regexp_matches(" + text + ", " + literal(changedByExcel) + ")"
}

// excelHead returns the byte order mark and the line of the columns' names. DuckDB would put the
// quotes of a name before the mark.
func (l *Layout) excelHead(columns []duck.ColumnType) string {
	var b strings.Builder
	b.WriteString(byteOrderMark)
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(l.delimiter())
		}
		b.WriteString(`"` + strings.ReplaceAll(l.header(c.Name), `"`, `""`) + `"`)
	}
	return b.String() + "\r\n"
}

// delimiter separates the fields of CSV.
func (l *Layout) delimiter() byte {
	if l.Delimiter == 0 {
		return ','
	}
	return l.Delimiter
}

// csvOptions returns the options of a COPY to CSV.
func (l *Layout) csvOptions(columns []duck.ColumnType) string {
	options := "FORMAT csv, DELIMITER " + literal(string(l.delimiter()))
	if !l.Excel {
		return options + ", HEADER true"
	}
	// DuckDB puts the line end between rows, and the suffix after the last one.
	return options + ", HEADER false, NEW_LINE '\\r\\n', PREFIX " + literal(l.excelHead(l.written(columns))) + ", SUFFIX " + literal("\r\n")
}
