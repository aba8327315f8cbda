package app

import (
	"strings"
	"testing"
)

// TestSectionsFitTerminals: no line of a section is wider than the terminal, and none is torn within a word.
func TestSectionsFitTerminals(t *testing.T) {
	for _, topic := range topics {
		text := section(topic)
		for _, width := range []int{40, 80} {
			got := wrapped(text, width)
			if a, b := strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(got), " "); a != b {
				t.Errorf("%s at %d columns has other words:\n%s", topic, width, got)
			}
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(line, "\n")
				code := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "|")
				if len([]rune(line)) > width && !code && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s at %d columns: %q", topic, width, line)
				}
			}
		}
		if wrapped(text, 0) != text {
			t.Errorf("%s changes without a terminal", topic)
		}
	}
}
