package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// writeWrapped writes lead and then a text, wrapped at words; its further lines are indented. After a
// long lead the text may exceed the width, as does a word that is longer.
func writeWrapped(b *strings.Builder, width int, lead, indent, s string) {
	const least = 24
	room := max(least, width-text.StringWidth(indent))
	line := lead
	used := text.StringWidth(lead) - text.StringWidth(indent)
	for i, word := range slices.Collect(strings.FieldsSeq(s)) {
		width := text.StringWidth(word)
		switch {
		case i == 0:
			line += word
		case used+1+width > room:
			_, _ = fmt.Fprintln(b, line)
			line, used = indent+word, 0
		default:
			line += " " + word
			used++
		}
		used += width
	}
	_, _ = fmt.Fprintln(b, strings.TrimRight(line, " "))
}
