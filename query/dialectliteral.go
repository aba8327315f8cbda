package query

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// isHidden reports whether a literal must not have the character as it is: terminals obey some of them, and
// the command-line programs of the engines split their input at lines.
func isHidden(r rune) bool { return !unicode.IsPrint(r) }

// text returns a text as a literal. It reads as the same text whatever it has: quotes, backslashes, line
// breaks, and in Spark the variables that spark-sql replaces in all of a statement.
func (d Dialect) text(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	switch d {
	case InSpark:
		return sparkText(s)
	case InTrino:
		return trinoText(s)
	}
	return duckText(s)
}

// duckText writes hidden characters as calls of chr.
func duckText(s string) string {
	if !strings.ContainsFunc(s, isHidden) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteString("('")
	for _, r := range s {
		switch {
		case isHidden(r):
			fmt.Fprintf(&b, "' || chr(%d) || '", r)
		case r == '\'':
			b.WriteString("''")
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "')"
}

// sparkText escapes with backslashes: in Spark 3.5, two quotes in a literal end it and begin
// another.
func sparkText(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case isHidden(r) && r <= math.MaxUint16, r == '$' && strings.HasPrefix(s[i:], "${"):
			fmt.Fprintf(&b, `\u%04X`, r)
		case isHidden(r):
			high, low := surrogates(r)
			fmt.Fprintf(&b, `\u%04X\u%04X`, high, low)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}

// surrogates returns the two halves in UTF-16 of a character above U+FFFF.
func surrogates(r rune) (high, low rune) {
	return 0xD800 + (r-0x10000)>>10, 0xDC00 + (r-0x10000)&0x3FF
}

// trinoText writes hidden characters by their code points.
func trinoText(s string) string {
	if !strings.ContainsFunc(s, isHidden) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteString("U&'")
	for _, r := range s {
		switch {
		case isHidden(r):
			fmt.Fprintf(&b, `\+%06X`, r)
		case r == '\'' || r == '\\':
			b.WriteString(string(r) + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "'"
}

// number returns the digits of a number, "" for no limit. Spark's limit is an INT, and no result has more
// rows than days fit into a BIGINT.
func (d Dialect) number(name, text string) string {
	if text == "all" {
		return ""
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && name == "limit" && d == InSpark && n > math.MaxInt32 {
		return strconv.Itoa(math.MaxInt32)
	}
	return text
}

// between returns the condition that an expression is in a range of instants, "" if that has all. Since and
// until are as Bind returns them. Events are of the years 1970 to 2200, so a year that a literal cannot have
// is as good as infinity.
func (d Dialect) between(expression, since, until string) string {
	var conditions []string
	for _, bound := range []struct{ text, compare, none string }{{since, ">=", "-infinity"}, {until, "<", "infinity"}} {
		literal, infinite := d.instant(bound.text)
		switch infinite {
		case "":
			conditions = append(conditions, expression+" "+bound.compare+" "+literal)
		case bound.none:
		default:
			conditions = append(conditions, "FALSE")
		}
	}
	return strings.Join(conditions, " AND ")
}

// instant returns a literal of an instant, or infinity or -infinity. Like DuckDB it cuts off the digits below
// a microsecond.
func (d Dialect) instant(text string) (literal, infinite string) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil { // infinity or -infinity, or a year that is out of the form
		if strings.HasPrefix(text, "-") {
			return "", "-infinity"
		}
		return "", "infinity"
	}
	if t.Year() < 1 {
		return "", "-infinity"
	}
	zone := "Z"
	if d == InTrino {
		zone = " UTC"
	}
	return "TIMESTAMP '" + t.Truncate(time.Microsecond).Format("2006-01-02 15:04:05.000000") + zone + "'", ""
}

// calendarSpan is an interval of DuckDB's: months and days of the calendar, and a time.
type calendarSpan struct{ Months, Days, Micros int64 }

// duckInterval matches an interval as Bind returns it.
var duckInterval = regexp.MustCompile(`^(?:(\d+) years|(\d+) months|(\d+) days (\d+) microseconds)$`)

// readDuckInterval reads an interval as Bind returns it, other than none.
func readDuckInterval(text string) (*calendarSpan, error) {
	m := duckInterval.FindStringSubmatch(text)
	if m == nil {
		return nil, errors.New(text + " is not an interval")
	}
	var numbers [5]int64
	for i, digits := range m[1:] {
		if digits != "" {
			var err error
			if numbers[i], err = strconv.ParseInt(digits, 10, 64); err != nil {
				return nil, err
			}
		}
	}
	return &calendarSpan{numbers[0]*12 + numbers[1], numbers[2], numbers[3]}, nil
}

// interval returns what a template knows of an interval: in Spark an expression, in Trino the argument of
// later.
func (d Dialect) interval(v *calendarSpan) any {
	if d == InSpark {
		return fmt.Sprintf("make_interval(0, %d, 0, %d, 0, 0, %d.%06d)", v.Months, v.Days, v.Micros/1e6, v.Micros%1e6)
	}
	return v
}

// trinoLater returns the microseconds, since 1970, of an instant that is later by an interval. Days are those
// of the session's calendar. The template declares micros.
func trinoLater(instant string, v *calendarSpan) string {
	if v.Months != 0 || v.Days != 0 {
		instant = "at_timezone(" + instant + ", current_timezone())"
	}
	if v.Months != 0 {
		instant = fmt.Sprintf("date_add('month', %d, %s)", v.Months, instant)
	}
	if v.Days != 0 {
		instant = fmt.Sprintf("date_add('day', %d, %s)", v.Days, instant)
	}
	return fmt.Sprintf("micros(%s) + %d", instant, v.Micros)
}
