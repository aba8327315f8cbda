package tally

import (
	"encoding/json"
	"strings"
)

// pageKey is how the key of a page is written in minified JSON. Within a text its first quote would follow a
// backslash.
const pageKey = `"page":`

// firstKey begins an object whose first member is a page.
const firstKey = `{"page":"`

// pageOf returns the value of properties ->> '$.page' for a minified JSON object. known is false for the rare values
// that only DuckDB writes as text in its own way.
func pageOf(properties string) (page string, valid, known bool) {
	if rest, ok := strings.CutPrefix(properties, firstKey); ok {
		return quoted(properties, rest)
	}
	at := strings.Index(properties, pageKey)
	if at < 0 {
		if strings.IndexByte(properties, '\\') >= 0 { // it may be a part of the key
			return scanned(properties)
		}
		return "", false, true
	}
	if strings.ContainsAny(properties[1:at], `{[\`) { // the key may be another object's, or not the first one
		return scanned(properties)
	}
	if rest, ok := strings.CutPrefix(properties[at+len(pageKey):], `"`); ok {
		return quoted(properties, rest)
	}
	return scanned(properties)
}

// quoted returns a text of JSON, which the rest begins with, up to its closing quote.
func quoted(properties, rest string) (page string, valid, known bool) {
	end := strings.IndexByte(rest, '"')
	if end < 0 || strings.IndexByte(rest[:end], '\\') >= 0 {
		return scanned(properties)
	}
	return rest[:end], true, true
}

// scanned is pageOf for any object.
func scanned(properties string) (page string, valid, known bool) {
	d := json.NewDecoder(strings.NewReader(properties))
	if _, err := d.Token(); err != nil {
		return "", false, properties == ""
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", false, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", false, false
		}
		if key == "page" { // DuckDB takes the first one
			return textOf(string(value))
		}
	}
	return "", false, true
}

// textOf returns a value of JSON as DuckDB's ->> does.
func textOf(value string) (text string, valid, known bool) {
	switch {
	case value == "null":
		return "", false, true
	case strings.HasPrefix(value, `"`):
		err := json.Unmarshal([]byte(value), &text)
		return text, true, err == nil && !strings.ContainsRune(text, '\ufffd') // half a surrogate pair
	case value == "true", value == "false", isInteger(value):
		return value, true, true
	}
	return "", false, false
}

// isInteger reports whether a JSON value is an integer that fits into 64 bits.
func isInteger(value string) bool {
	digits := strings.TrimPrefix(value, "-")
	return digits != "" && len(digits) <= 18 && strings.Trim(digits, "0123456789") == "" && value != "-0"
}
