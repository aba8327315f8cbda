package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mostWords is how many words a sentence may have (CONTRIBUTING.md, English).
const mostWords = 25

var (
	generated = regexp.MustCompile(`(?s)<!-- begin .*?<!-- end [a-z]+ -->`)
	fenced    = regexp.MustCompile("(?ms)^```.*?^```$")
	code      = regexp.MustCompile("`[^`]*`")
	aside     = regexp.MustCompile(`\([^()]*\)`)
	item      = regexp.MustCompile(`^ *([-*>]|[0-9]+\.) +`)
	sentence  = regexp.MustCompile(`[.:;?!]["*_]*( +|$)`)
)

// paragraphs returns a document's paragraphs and items as one line each, without code, tables and
// headings.
func paragraphs(text string) (all []string) {
	open := false
	for line := range strings.Lines(fenced.ReplaceAllString(text, "")) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "|"):
			open = false
		case !open || item.MatchString(line) && !strings.HasPrefix(line, ">"):
			all = append(all, item.ReplaceAllString(line, ""))
			open = true
		default:
			all[len(all)-1] += " " + strings.TrimLeft(line, "> ")
		}
	}
	return all
}

// longSentences returns those with more than mostWords words. A part after a colon or a semicolon
// counts as a sentence; code and links count as one word, and asides in brackets as none.
func longSentences(text string) (long []string) {
	text = link.ReplaceAllString(text, "]")
	for _, p := range paragraphs(text) {
		p = aside.ReplaceAllString(code.ReplaceAllString(p, "code"), "")
		for _, s := range sentence.Split(p, -1) {
			if len(strings.Fields(s)) > mostWords {
				long = append(long, strings.Join(strings.Fields(s), " "))
			}
		}
	}
	return long
}

// TestEnglish: no sentence of a document is too long. TestProse of internal/e2e/cli checks its phrases.
func TestEnglish(t *testing.T) {
	for name, text := range documents(t) {
		for _, s := range longSentences(generated.ReplaceAllString(text, "")) {
			t.Errorf("%s: a sentence of %d words: %s", name, len(strings.Fields(s)), s)
		}
	}
}

// TestLongSentences: the check finds a long sentence across lines, and no code, table or short part.
func TestLongSentences(t *testing.T) {
	ten := "a b c d e f g h i j "
	text := "# " + ten + ten + ten + "\n\n" + ten + "\n" + ten + ten + "end. Short.\n\n- " + ten + ten + "as follows: " + ten + "\n- `" + ten + ten + "`\n\n" +
		"    " + ten + ten + ten + "\n\n| " + ten + ten + ten + "|\n"
	if got, want := longSentences(text), []string{ten + ten + ten + "end"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
