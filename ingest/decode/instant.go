package decode

import (
	"math"
	"strings"
	"unicode"

	"datasync/internal/model"
)

// The instants of events: from earliest on, before latest. Any other instant is a mistake, such as
// microseconds in place of milliseconds.
const (
	earliest model.Instant = 0                         // 1970-01-01T00:00:00Z
	latest   model.Instant = 84_006 * microsecondsADay // 2200-01-01T00:00:00Z
)

const (
	microsecondsASecond = 1_000_000
	microsecondsADay    = 24 * 60 * 60 * microsecondsASecond
)

// inRange reports whether an event may have the instant.
func inRange(t model.Instant) bool { return t >= earliest && t < latest }

// readability is the outcome of parsing a timestamp.
type readability uint8

const (
	// unreadable: not a timestamp.
	unreadable readability = iota
	// beyondInstant: a number that no Instant can hold.
	beyondInstant
	// readable: a timestamp, in range or not.
	readable
)

// parseInstant parses a timestamp: the text of a JSON number, or the decoded text of a JSON string
// (quoted). A number is always milliseconds since 1970; it never guesses seconds or microseconds. A
// string is the same in decimal digits, or a date-time with its offset (see parseDateTime). Fractions
// of a microsecond are dropped, toward the past.
func parseInstant(text string, quoted bool) (model.Instant, readability) {
	switch {
	case !quoted:
		return parseMilliseconds(text)
	case text != "" && allDigits(text):
		return parseMilliseconds(text)
	default:
		return parseDateTime(text)
	}
}

// parseMilliseconds parses milliseconds since 1970, as a JSON number (RFC 8259, section 6) or as decimal
// digits. Fractions and exponents count exactly: the value never passes through a float64.
func parseMilliseconds(text string) (model.Instant, readability) {
	const safeDigits = 15 // times a thousand still fits an int64
	if len(text) > safeDigits || !allDigits(text) {
		return parseDecimal(text)
	}
	var ms int64
	for i := range len(text) {
		ms = ms*10 + int64(text[i]-'0')
	}
	return model.Instant(ms * 1000), readable
}

func parseDecimal(text string) (model.Instant, readability) {
	d := newDecimal(text)
	d.shift(3) // from milliseconds to microseconds
	us, ok := d.floor()
	if !ok {
		return 0, beyondInstant
	}
	return model.Instant(us), readable
}

// decimal is the exact value of a JSON number:
//
//	±0.d₁d₂d₃... × 10^point
//
// with d₁ not zero. It holds the digits as they are in the text, so that the size of an exponent costs
// nothing.
type decimal struct {
	negative bool
	whole    string // the digits before the text's own decimal point
	fraction string // those after it; together they are d₁d₂d₃...
	point    int64
}

func newDecimal(text string) decimal {
	var d decimal
	text, d.negative = strings.CutPrefix(text, "-")
	mantissa, exponent := text, ""
	if e := strings.IndexAny(text, "eE"); e >= 0 {
		mantissa, exponent = text[:e], text[e+1:]
	}
	d.whole, d.fraction, _ = strings.Cut(mantissa, ".")
	d.whole = strings.TrimLeft(d.whole, "0")
	d.point = int64(len(d.whole))
	if d.whole == "" {
		significant := strings.TrimLeft(d.fraction, "0")
		d.point = -int64(len(d.fraction) - len(significant))
		d.fraction = significant
	}
	d.shift(parseExponent(exponent))
	return d
}

// parseExponent parses an exponent. It limits one that no number of digits in memory can balance.
func parseExponent(text string) int64 {
	const enough = 1 << 48
	text, negative := strings.CutPrefix(text, "-")
	text = strings.TrimPrefix(text, "+")
	var e int64
	for i := range len(text) {
		if e = e*10 + int64(text[i]-'0'); e > enough {
			e = enough
			break
		}
	}
	if negative {
		return -e
	}
	return e
}

// shift multiplies d by ten to the power of n.
func (d *decimal) shift(n int64) { d.point += n }

func (d *decimal) isZero() bool { return d.whole == "" && d.fraction == "" }

func (d *decimal) digits() int64 { return int64(len(d.whole) + len(d.fraction)) }

// digit returns the n-th digit, counted from 0; 0 after the last one.
func (d *decimal) digit(n int64) byte {
	switch whole := int64(len(d.whole)); {
	case n < whole:
		return d.whole[n] - '0'
	case n < d.digits():
		return d.fraction[n-whole] - '0'
	}
	return 0
}

// floor returns the greatest integer that is at most d, unless that exceeds an int64.
func (d *decimal) floor() (int64, bool) {
	const most = 19 // decimal digits of an int64
	if d.isZero() {
		return 0, true
	}
	if d.point > most {
		return 0, false
	}
	var n uint64 // 19 digits are less than 1<<64
	for k := range max(d.point, 0) {
		n = n*10 + uint64(d.digit(k))
	}
	if d.negative {
		if !d.isInteger() {
			n++
		}
		return -int64(n), n <= -math.MinInt64
	}
	return int64(n), n <= math.MaxInt64
}

// isInteger reports whether all digits after the decimal point are zero.
func (d *decimal) isInteger() bool {
	for k := max(d.point, 0); k < d.digits(); k++ {
		if d.digit(k) != 0 {
			return false
		}
	}
	return true
}

// parseDateTime parses a date-time of RFC 3339, section 5.6, and these variants of ISO 8601: an offset
// without its colon or its minutes, and a comma before the fraction. T, t or one space separates date
// and time. A leap second (:60) is the second after it, since no other clock here knows it. Anything
// without seconds or an offset is unreadable.
func parseDateTime(text string) (model.Instant, readability) {
	const dateAndTime = len("2006-01-02T15:04:05")
	if len(text) <= dateAndTime || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' {
		return 0, unreadable
	}
	if c := text[10]; c != 'T' && c != 't' && c != ' ' {
		return 0, unreadable
	}
	year := twoDigits(text, 0)*100 + twoDigits(text, 2)
	month, day := twoDigits(text, 5), twoDigits(text, 8)
	hour, minute, second := twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)
	if year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, unreadable
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, unreadable
	}
	micros, rest, ok := parseFraction(text[dateAndTime:])
	if !ok {
		return 0, unreadable
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return 0, unreadable
	}
	seconds := int64(hour*3600+minute*60+second) - int64(offset)*60
	us := daysSince1970(year, month, day)*microsecondsADay + seconds*microsecondsASecond + int64(micros)
	return model.Instant(us), readable
}

// parseFraction parses the fraction of a second at the beginning of text, if any, in microseconds.
func parseFraction(text string) (micros int, rest string, ok bool) {
	if text[0] != '.' && text[0] != ',' {
		return 0, text, true
	}
	i, unit := 1, microsecondsASecond/10
	for ; i < len(text) && isDigit(text[i]); i++ {
		micros += int(text[i]-'0') * unit
		unit /= 10
	}
	return micros, text[i:], i > 1
}

// parseOffset parses the offset from UTC, in minutes.
func parseOffset(text string) (minutes int, ok bool) {
	if text == "Z" || text == "z" {
		return 0, true
	}
	var hh, mm int
	switch {
	case len(text) == len("+hh:mm") && text[3] == ':':
		hh, mm = twoDigits(text, 1), twoDigits(text, 4)
	case len(text) == len("+hhmm"):
		hh, mm = twoDigits(text, 1), twoDigits(text, 3)
	case len(text) == len("+hh"):
		hh = twoDigits(text, 1)
	default:
		return 0, false
	}
	if hh < 0 || hh > 23 || mm < 0 || mm > 59 {
		return 0, false
	}
	minutes = hh*60 + mm
	if text[0] == '-' {
		return -minutes, true
	}
	return minutes, text[0] == '+'
}

// notDigits is the result of twoDigits for anything else. It is low enough that a year with such a
// century is negative.
const notDigits = -10_000

// twoDigits returns the number of two digits at i.
func twoDigits(text string, i int) int {
	tens, ones := text[i]-'0', text[i+1]-'0'
	if tens > 9 || ones > 9 {
		return notDigits
	}
	return int(tens)*10 + int(ones)
}

// daysIn returns the number of days of a month in the Gregorian calendar.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts the days from 1970-01-01 to a date of the Gregorian calendar. Its years begin in
// March, so that the leap day is the last of the year and five months have 153 days.
func daysSince1970(year, month, day int) int64 {
	const daysUpTo1970 = 719_468 // from 0000-03-01
	if month -= 3; month < 0 {
		month, year = month+12, year-1
	}
	// Year 0 would become -1, and division rounds toward zero: count from 400
	// years earlier, which are 146,097 days.
	year += 400
	days := year*365 + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1
	return int64(days) - 146_097 - daysUpTo1970
}

// invisible reports whether r, before or after a timestamp, leaves the instant certain: white space, a
// control character, or an invisible one such as U+200B or U+FEFF. None is accepted within it.
func invisible(r rune) bool { return unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf) }

func allDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return true
}
