package decode

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Excerpt returns at most limit bytes of a reject's text, around the cause that the reason names. The mark …
// at either end means that text is left out there. If the cause has no place, as with a missing member,
// Excerpt returns the beginning.
func Excerpt(raw, reason string, limit int) string {
	if len(raw) <= limit {
		return raw
	}
	wrong := findWrong(raw, reason)
	around := limit - min(wrong.end-wrong.start, limit/2)
	// Before the value is its name.
	from := min(max(0, wrong.start-around/2), len(raw)-limit)
	to := from + limit
	for from > 0 && from < to && !utf8.RuneStart(raw[from]) {
		from++
	}
	for to < len(raw) && to > from && !utf8.RuneStart(raw[to]) {
		to--
	}
	excerpt := raw[from:to]
	if from > 0 {
		excerpt = "…" + excerpt
	}
	if to < len(raw) {
		excerpt += "…"
	}
	return excerpt
}

// findWrong returns where in its text the cause of a reject is; the zero value if it has no place.
func findWrong(raw, reason string) value {
	scan := &scanner{text: raw}
	n := newNormalizer(scan)
	isObject := scan.at(0, '{')
	end := stopped
	if isObject {
		end = scan.split(0, elementDepth, n.event)
	} else if isDamage(reason) {
		end = scan.value(0, elementDepth)
	}
	switch reason {
	case reasonMissingID, reasonBadID:
		return n.event.values[eventID]
	case reasonMissingTimestamp, reasonBadTimestamp, reasonOutOfRange:
		return n.event.values[eventTimestamp]
	case reasonMissingType, reasonBadType:
		return n.event.values[eventType]
	case reasonMissingSessionID, reasonBadSessionID:
		return n.event.values[eventSessionID]
	case reasonDuplicateMember:
		return n.duplicate()
	case reasonBadText:
		return findBadText(raw)
	case ReasonBadJSON, reasonTooDeep:
		if end == stopped {
			return value{start: scan.failureAt, end: scan.failureAt}
		}
	}
	return value{}
}

// elementDepth is the depth of an element: in an array of the page's object.
const elementDepth = 2

// duplicate returns a member of the last element or of its session whose name occurred before.
func (n *normalizer) duplicate() value {
	for _, o := range []*objectSplitter{n.event, n.session} {
		for field, v := range o.values {
			if o.duplicated&(1<<field) != 0 {
				return v
			}
		}
		seen := map[string]bool{}
		for _, m := range o.others {
			if seen[m.name] {
				return m.value
			}
			seen[m.name] = true
		}
	}
	return value{}
}

// findBadText returns the first part of a kept text that is no Unicode text: an escape of a lone surrogate,
// or of a byte of invalid UTF-8.
func findBadText(raw string) value {
	for i := 0; i+1 < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		size := 2
		switch {
		case raw[i+1] == 'x':
			return value{start: i, end: i + size}
		case raw[i+1] == 'u' && len(raw)-i >= 6:
			var r rune
			if r, size = escapedRune(raw[i:]); r == utf8.RuneError && utf16.IsSurrogate(hexRune(raw[i+2:i+6])) {
				return value{start: i, end: i + size}
			}
		}
		i += size - 1
	}
	return value{}
}
