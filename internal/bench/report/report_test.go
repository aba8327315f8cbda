package report

import (
	"strings"
	"testing"
)

func TestReplaceLeavesTheRest(t *testing.T) {
	const document = "# Title\n\n<!-- begin compare: by hand -->\nold\n<!-- end compare -->\n\nText\n"
	got, err := replace(document, "compare", "new\n")
	if want := "# Title\n\n<!-- begin compare: by hand -->\n\nnew\n\n<!-- end compare -->\n\nText\n"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if again, err := replace(got, "compare", "new\n"); err != nil || again != got {
		t.Errorf("a second time gives %q, %v", again, err)
	}
	if _, err := replace(document, "growth", "new"); err == nil {
		t.Error("a block that is not there is no error")
	}
}

func TestTable(t *testing.T) {
	table := NewTable("name", "figure:")
	table.Add("a|b", "1")
	if got, want := table.String(), "| name | figure |\n| --- | ---: |\n| a\\|b | 1 |\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		target Target
		row    string
	}{
		{Target{What: "a", Limit: 0.5, Unit: "%.2f", Figure: 0.5}, "| a | at most 0.50 | 0.50 | yes |"},
		{Target{What: "b", Limit: 0.5, Unit: "%.2f", Figure: 0.501}, "| b | at most 0.50 | 0.50 | no |"},
		{Target{What: "c", Limit: 8, AtLeast: true, Unit: "%.1f", Figure: 9}, "| c | at least 8.0 | 9.0 | yes |"},
		{Target{What: "d", Limit: 8, AtLeast: true, Unit: "%.1f", Figure: 7}, "| d | at least 8.0 | 7.0 | no |"},
		{Target{What: "e", Limit: 8, AtLeast: true, Unit: "%.1f", Missing: "not run"}, "| e | at least 8.0 | not run | ? |"},
	} {
		if got := Targets([]Target{c.target}); !strings.Contains(got, c.row) {
			t.Errorf("%s lacks %s", got, c.row)
		}
	}
}
