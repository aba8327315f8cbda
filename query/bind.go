package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"datasync/internal/human"
)

// Bound is a named query with a value for each parameter.
type Bound struct {
	// SQL and Params are those of Options. The values are the ones that the statement casts, not the
	// ones that the user typed.
	SQL    string
	Params map[string]string
	// Note names the times on which the results depend: the zone of days or hours, and the range of
	// events. It is "" if they depend on none.
	Note string
	// Types are the event types that were asked for.
	Types []string
	// Since and Until are the range of instants that was asked for, as the statement casts them.
	Since, Until string
}

// Into sets the options that run the query.
func (b Bound) Into(opts *Options) {
	opts.SQL, opts.Params, opts.Note, opts.Types, opts.Since, opts.Until = b.SQL, b.Params, b.Note, b.Types, b.Since, b.Until
}

// Bind reads the values of parameters as people write them, and takes the default of a parameter without
// one. Days, and times without a zone, are in zone; "yesterday" and "7d" are relative to now. It fails
// with ErrParams; the error names the parameter and a valid value.
func (n *Named) Bind(given map[string]string, now time.Time, zone *time.Location) (Bound, error) {
	b := Bound{SQL: n.SQL, Params: map[string]string{}}
	if err := n.checkNames(given); err != nil {
		return Bound{}, err
	}
	var spans []string
	for _, p := range n.Params {
		value, isGiven := given[p.Name]
		if !isGiven {
			value = p.Default
		}
		bound, err := p.read(value, now, zone)
		if err != nil {
			return Bound{}, fmt.Errorf("%w: %s=%w", ErrParams, p.Name, err)
		}
		b.Params[p.Name] = bound
		if t, err := time.Parse(time.RFC3339Nano, bound); err == nil && p.Type == timestamp {
			spans = append(spans, p.Name+" "+t.In(zone).Format(time.RFC3339Nano))
		}
		// The default of errors may name types that no event has.
		if p.Name == "steps" || p.Name == "type" || p.Name == "errors" && isGiven {
			types, _ := list(value)
			if p.Type != textList {
				types = []string{value}
			}
			b.Types = append(b.Types, types...)
		}
	}
	if unit := n.buckets(b.Params); unit != "" {
		spans = append([]string{unit + " in " + zone.String()}, spans...)
	}
	b.Note = strings.Join(spans, ", ")
	b.Since, b.Until = b.Params["since"], b.Params["until"]
	return b, nil
}

// The types of parameters whose values Bind reads.
const (
	timestamp = "TIMESTAMPTZ"
	number    = "BIGINT"
	interval  = "INTERVAL"
	textList  = "VARCHAR[]"
)

// checkNames fails if a value is given for a parameter that the query does not have.
func (n *Named) checkNames(given map[string]string) error {
	var names []string
	for _, p := range n.Params {
		names = append(names, p.Name)
	}
	for name := range given {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: %s has no parameter %s, but %s%s", ErrParams, n.Name, human.Shown(name), strings.Join(names, ", "), human.DidYouMean(name, names))
		}
	}
	return nil
}

// buckets returns the unit of time by which the query counts, "" for none.
func (n *Named) buckets(params map[string]string) string {
	switch by := params["by"]; {
	case by != "":
		return by + "s"
	case strings.Contains(n.SQL, " AS DATE)"):
		return "days"
	case strings.Contains(n.SQL, "date_trunc('hour'"):
		return "hours"
	}
	return ""
}

// read returns the value that the statement casts. Its error begins with the value.
func (p *Param) read(value string, now time.Time, zone *time.Location) (string, error) {
	if value == p.Default {
		return value, nil
	}
	switch p.Type {
	case timestamp:
		return readInstant(value, now, zone)
	case number:
		return p.readCount(value)
	case interval:
		return p.readInterval(value)
	case textList:
		values, err := list(value)
		if err != nil {
			return "", &human.Error{Text: value, Problem: err.Error(), Write: []string{p.Default}}
		}
		return quotedList(values), nil
	}
	if choices := p.choices(); len(choices) > 0 && !slices.Contains(choices, value) {
		return "", &human.Error{Text: value, Problem: "is not known", Write: choices}
	}
	return value, nil
}

// choices returns the only values that a parameter accepts, from its description; nil means any.
func (p *Param) choices() []string {
	if m := choicesOf.FindStringSubmatch(p.Description); m != nil {
		return m[1:]
	}
	return nil
}

var choicesOf = regexp.MustCompile(`^([a-z]+) or ([a-z]+)$`)

// readInstant returns an instant in the form that DuckDB reads in any time zone.
func readInstant(value string, now time.Time, zone *time.Location) (string, error) {
	switch strings.ToLower(value) {
	case "infinity", "-infinity":
		return strings.ToLower(value), nil
	}
	t, err := human.Instant(value, now, zone)
	if err != nil {
		return "", err
	}
	return t.UTC().Format(time.RFC3339Nano), nil
}

// readCount returns a number that is not negative, or "all" if the statement accepts that.
func (p *Param) readCount(value string) (string, error) {
	if p.Name == "limit" && strings.EqualFold(value, "all") {
		return "all", nil
	}
	if d, err := human.Duration(value); err == nil && p.Name == "days" && d%(24*time.Hour) == 0 && d > 0 {
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10), nil // 7d
	}
	n, err := human.Count(value)
	var wrong *human.Error
	switch {
	case errors.As(err, &wrong):
		wrong.Write = p.counts()
		return "", wrong
	case n < 0:
		return "", &human.Error{Text: value, Problem: "is less than 0", Write: p.counts()}
	}
	return strconv.FormatInt(n, 10), nil
}

// counts returns valid values of a parameter that is a number.
func (p *Param) counts() []string {
	if p.Name == "limit" {
		return []string{"20", "all"}
	}
	return []string{p.Default}
}

// months matches an interval of the calendar.
var months = regexp.MustCompile(`(?i)^([0-9]{1,4})\s*(mo|mons?|months?|y|years?)$`)

// inDays matches an interval with days or weeks.
var inDays = regexp.MustCompile(`(?i)[0-9]\s*[dw]`)

// readInterval returns an interval as DuckDB writes it. Days stay days of the calendar.
func (p *Param) readInterval(value string) (string, error) {
	if strings.EqualFold(value, p.Default) {
		return p.Default, nil
	}
	if m := months.FindStringSubmatch(strings.TrimSpace(value)); m != nil {
		if m[2][0]|0x20 == 'y' {
			return m[1] + " years", nil
		}
		return m[1] + " months", nil
	}
	d, err := human.Duration(value)
	if err != nil {
		return "", err
	}
	if d < 0 {
		return "", &human.Error{Text: value, Problem: "is less than 0", Write: []string{"30m", "7d"}}
	}
	const day = 24 * time.Hour
	whole := d / day
	if !inDays.MatchString(value) { // 24h is not a calendar day
		whole = 0
	}
	return fmt.Sprintf("%d days %d microseconds", whole, (d - whole*day).Microseconds()), nil
}

// list reads texts that are separated by commas. A text with a comma is in single or double quotes, in
// which a backslash escapes a quote.
func list(value string) (texts []string, err error) {
	rest := value
	for {
		rest = strings.TrimLeft(rest, " ")
		var text string
		if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
			var ok bool
			if text, rest, ok = quotedText(rest); !ok {
				return nil, errors.New("has an open quote")
			}
			rest = strings.TrimLeft(rest, " ")
			if rest != "" && rest[0] != ',' {
				return nil, errors.New("has text after a quote")
			}
		} else {
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			text, rest = strings.TrimRight(rest[:end], " "), rest[end:]
			if text == "" {
				return nil, errors.New("has an empty part")
			}
		}
		texts = append(texts, text)
		if rest == "" {
			return texts, nil
		}
		rest = rest[1:]
	}
}

// quotedText returns the quoted text at the beginning of s, and the rest of s.
func quotedText(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for at := 1; at < len(s); at++ {
		switch {
		case s[at] == '\\' && at+1 < len(s):
			at++
			b.WriteByte(s[at])
		case s[at] == s[0]:
			return b.String(), s[at+1:], true
		default:
			b.WriteByte(s[at])
		}
	}
	return "", "", false
}

// quotedList is list's inverse, without the brackets of DuckDB's lists.
func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
	}
	return strings.Join(quoted, ",")
}
