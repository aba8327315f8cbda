package query_test

import (
	"regexp"
	"strings"
)

// This file splits SQL a second time, by regular expressions for the tokens of DuckDB's scanner.

// refBlank matches a character of white space, by its bytes in UTF-8.
const refBlank = `(?:[ \t\r\n\f\v]|\x{c2}\x{a0}|\x{e2}\x{80}[\x{80}-\x{8b}\x{af}]|\x{e2}\x{81}[\x{9f}\x{a0}]|\x{e3}\x{80}\x{80}|\x{ef}\x{bb}\x{bf})`

var (
	refSpace  = regexp.MustCompile(`^(?:` + refBlank + `+|--[^\r\n]*)`)
	refEnds   = regexp.MustCompile(`^` + refBlank + `+|` + refBlank + `+$`)
	refWithin = regexp.MustCompile(refBlank)
	// refQuoted matches a quoted text without its last quote, which it must not match as a doubled
	// one.
	refQuoted = regexp.MustCompile(`^(?s:[eE]'(?:[^'\\]|\\.|'')*|'(?:[^']|'')*|"(?:[^"]|"")*)`)
	refBegun  = regexp.MustCompile(`^/\*`)
	refTag    = regexp.MustCompile(`^\$(?:[A-Za-z_\x{80}-\x{ff}][A-Za-z0-9_\x{80}-\x{ff}]*)?\$`)
	refName   = regexp.MustCompile(`^[A-Za-z_\x{80}-\x{ff}][A-Za-z0-9_$\x{80}-\x{ff}]*`)
	// refParameter takes precedence if both match: $a$ is a tag, $1$ is not.
	refParameter = regexp.MustCompile(`^\$(?:[A-Za-z0-9_\x{80}-\x{ff}])+`)
	refMarks     = regexp.MustCompile(`/\*|\*/`)
)

// refSplit is the reference for Split. The expressions match each byte as a character.
func refSplit(text string) (statements []string, whole bool) {
	wide := make([]rune, 0, len(text))
	for i := range len(text) {
		wide = append(wide, rune(text[i]))
	}
	narrow := func(s string) string {
		var b []byte
		for _, r := range refEnds.ReplaceAllString(s, "") {
			b = append(b, byte(r))
		}
		return string(b)
	}
	var statement strings.Builder
	something, unfinished := false, false
	for rest := string(wide); rest != ""; {
		piece := string([]rune(rest)[:1])
		blank := false
		if m := refSpace.FindString(rest); m != "" {
			piece, blank = m, true
		} else if end, ok := refComment(rest); ok {
			piece, blank = rest[:end], true
		} else if m := refQuoted.FindString(rest); m != "" && len(m) < len(rest) && strings.IndexByte(`'"`, rest[len(m)]) >= 0 {
			piece = rest[:len(m)+1]
		} else if m != "" {
			piece, unfinished = rest, true
		} else if refBegun.MatchString(rest) {
			piece, unfinished = rest, true
		} else if tag := refTag.FindString(rest); tag != "" && !refWithin.MatchString(tag) {
			if end := strings.Index(rest[len(tag):], tag); end >= 0 {
				piece = rest[:2*len(tag)+end]
			} else {
				piece, unfinished = rest, true
			}
		} else if m := refWithin.Split(refParameter.FindString(rest)+refName.FindString(rest), 2)[0]; m != "" {
			piece = m
		}
		rest = rest[len(piece):]
		if piece == ";" {
			if something {
				statements = append(statements, narrow(statement.String()))
			}
			statement.Reset()
			something = false
			continue
		}
		statement.WriteString(piece)
		something = something || !blank
	}
	if something {
		statements = append(statements, narrow(statement.String()))
	}
	return statements, !something && !unfinished
}

// refComment returns the length of a comment that has an end.
func refComment(text string) (end int, ok bool) {
	if !strings.HasPrefix(text, "/*") {
		return 0, false
	}
	depth := 0
	for _, mark := range refMarks.FindAllStringIndex(text, -1) {
		if text[mark[0]] == '/' {
			depth++
		} else {
			depth--
		}
		if depth == 0 {
			return mark[1], true
		}
	}
	return 0, false
}
