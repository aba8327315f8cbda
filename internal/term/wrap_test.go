package term_test

import (
	"strings"
	"testing"

	"datasync/internal/term"
)

func TestWrap(t *testing.T) {
	const refused = "datasync: API key refused: 401 INVALID_API_KEY; set a new DATASYNC_API_KEY (datasync explain key-refused)"
	for _, tc := range []struct {
		text    string
		columns int
		want    string
	}{
		{refused, 0, refused},
		{refused, 200, refused},
		{refused, 80, "datasync: API key refused: 401 INVALID_API_KEY; set a new DATASYNC_API_KEY\n  (datasync explain key-refused)"},
		{refused, 40, "datasync: API key refused: 401\n  INVALID_API_KEY; set a new\n  DATASYNC_API_KEY\n  (datasync explain key-refused)"},
		{"  stored    93,000 new events, about 207,000 to fetch", 40, "  stored    93,000 new events, about\n  207,000 to fetch"},
		{"datasync: \x1b[33mnot complete\x1b[0m, \x1b[33m6 rejected\x1b[0m", 33, "datasync: \x1b[33mnot complete\x1b[0m, \x1b[33m6\n  rejected\x1b[0m"},
		{"datasync: \x1b[33mnot complete\x1b[0m", 22, "datasync: \x1b[33mnot complete\x1b[0m"},
		{"a/path/that/is/long and more", 10, "a/path/that/is/long\n  and more"},
		{"世界 世界 世界", 9, "世界 世界\n 世界"},
		{"", 10, ""},
	} {
		if got := term.Wrap(tc.text, tc.columns, 2); got != tc.want {
			t.Errorf("%d columns: %q, want %q", tc.columns, got, tc.want)
		}
	}
}

// FuzzWrap: wrapping changes only white space, and only a single word makes a line too wide.
func FuzzWrap(f *testing.F) {
	f.Add("  stored    1 new event (datasync status --rejected)", 20)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		if columns < 0 || columns > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Skip()
		}
		got := term.Wrap(text, columns, 2)
		if strings.ReplaceAll(got, " ", "") != "" && strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
			t.Fatalf("%q became %q", text, got)
		}
		for i, line := range strings.Split(got, "\n") {
			inner := strings.TrimSpace(line)
			if columns > 0 && len(strings.TrimRight(line, " ")) > columns && strings.Contains(inner, " ") {
				t.Errorf("line %d of %q is too wide: %q", i, text, line)
			}
		}
	})
}

func TestWrapList(t *testing.T) {
	const text = "steps=page_view,click,purchase within=none"
	for columns, want := range map[int]string{
		0: text, 42: text, 41: "steps=page_view,click,purchase\nwithin=none", 30: "steps=page_view,click,purchase\nwithin=none",
		29: "steps=page_view,click,\npurchase within=none", 20: "steps=page_view,\nclick,purchase\nwithin=none", 4: "steps=page_view,\nclick,\npurchase\nwithin=none",
	} {
		if got := term.WrapList(text, columns); got != want {
			t.Errorf("%d: %q, want %q", columns, got, want)
		}
	}
}
