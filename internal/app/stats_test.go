package app

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"
	"datasync/internal/term"
)

// statsFigures are figures of some days, with a bad hour, and names that take much room or attack a terminal.
func statsFigures(days int) *figures.Figures {
	from := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	f := &figures.Figures{}
	f.Counts.Types = []figures.Type{{Name: "page_view", Events: 1_204_000}, {Name: "error", Events: 40_000}, {Name: "\x1b[31mred", Events: 1}}
	f.Period.From, f.Period.To = from, from.AddDate(0, 0, days)
	for i := range days {
		date := from.AddDate(0, 0, i)
		f.Period.Days = append(f.Period.Days, figures.Day{Date: date, Start: date, End: date.AddDate(0, 0, 1), Whole: i+1 < days})
		f.Counts.Hours = append(f.Counts.Hours, figures.Hour{Start: date.Add(14 * time.Hour), Date: date, Of: 14, Events: []int64{int64(1000 * (i%9 + 1)), int64(i * 10), 0}})
	}
	f.Worst = &figures.WorstHour{Start: from.Add(14 * time.Hour), Date: from, Of: 14, Errors: 379, Usual: 25}
	name := func(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }
	for i, page := range []string{"/home", "/" + strings.Repeat("long/", 40) + "end", strings.Repeat("移动", 30), "", "\u202egnp\x07", "/a"} {
		f.Counts.Pages = append(f.Counts.Pages, figures.Page{Name: name(page), Events: int64(900_000 - i*100_000), Errors: int64(30_000 - i*1000)})
	}
	f.Counts.Pages = append(f.Counts.Pages, figures.Page{Events: 3, Errors: 3})
	f.Counts.Devices = []figures.Device{{Device: name("mobile"), Browser: name("Safari"), Events: 70, Errors: 7}, {Device: name("mobile"), Events: 20, Errors: 1}, {Browser: name("Safari"), Events: 10}}
	f.Users.Count, f.Sessions.Count, f.Sessions.Median = 9001, 69_837, 189*time.Second
	return f
}

// statsText is the text in an environment without a terminal, but so wide.
func statsText(f *figures.Figures, by, zone string, width int, locale string) string {
	env := map[string]string{"COLUMNS": fmt.Sprint(width), "LANG": locale}
	v := newStatsView(f, inspect.Status{}, statsOptions{by: by, timezone: zone, zone: time.UTC})
	return v.text(term.IO{Getenv: func(name string) string { return env[name] }, Stdout: &bytes.Buffer{}})
}

// TestStatsFit: the text keeps within any width, shows no control character, and has bars of at least ten columns.
func TestStatsFit(t *testing.T) {
	for _, by := range statsBy {
		for _, zone := range []string{"UTC", "America/Argentina/Buenos_Aires"} {
			for width := 40; width <= 200; width++ {
				for _, locale := range []string{"C", "C.UTF-8"} {
					text := statsText(statsFigures(30), by, zone, width, locale)
					longest := 0
					for line := range strings.Lines(text) {
						line = strings.TrimSuffix(line, "\n")
						if n := term.Width(line); n > width {
							t.Fatalf("--by %s in %s at %d columns, LANG=%s: %d columns\n%s\n%s", by, zone, width, locale, n, line, text)
						}
						bar := strings.Count(line, "#")
						if locale != "C" {
							bar = strings.Count(line, "█")
						}
						longest = max(longest, bar)
						if strings.ContainsAny(line, "\x1b\x07\u202e") {
							t.Fatalf("%q", line)
						}
						if locale == "C" && strings.ContainsAny(line, "█…▏▎▍▌▋▊▉") {
							t.Fatalf("%q in LANG=C", line)
						}
					}
					if longest < leastBar {
						t.Fatalf("--by %s in %s at %d columns: the longest bar has %d\n%s", by, zone, width, longest, text)
					}
				}
			}
		}
	}
}

// TestStatsTimesAreWhole: no width cuts a date or an hour, and no line ends within a duration.
func TestStatsTimesAreWhole(t *testing.T) {
	for _, by := range []string{"day", "hour"} {
		for _, days := range []int{3, 400} {
			for width := 40; width <= 120; width++ {
				text := statsText(statsFigures(days), by, "UTC", width, "C.UTF-8")
				if strings.Contains(text, "…") || !strings.Contains(text, "3 min 9 s") {
					t.Fatalf("--by %s of %d days at %d columns:\n%s", by, days, width, text)
				}
			}
		}
	}
	narrow := statsText(statsFigures(3), "hour", "UTC", 40, "C.UTF-8")
	for _, want := range []string{" 6 Jan 14h   2,010", " 7 Jan 14h   3,020"} {
		if !strings.Contains(narrow, "\n"+want) {
			t.Errorf("no %q in\n%s", want, narrow)
		}
	}
}

// TestStatsText: the text of a week, of days.
func TestStatsText(t *testing.T) {
	text := statsText(statsFigures(7), "day", "UTC", 60, "en_GB.UTF-8")
	for _, want := range []string{
		"Not complete: run datasync status\n", "Day (UTC)   Events", "Mon  5 Jan   1,000  ███▍ ", " 0.0 % ! 14:00\n", "Sun 11 Jan   7,060  ████████████████████████   0.8 % *\n",
		"* not whole\n", "! Mon 5 Jan 14:00: 379 errors, usually 25\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	long := statsText(statsFigures(400), "day", "UTC", 80, "")
	if strings.Count(long, "\n") > statsDays+8 || !strings.Contains(long, "the last 92 of 400 days; --since and --until show others, --json all") || !strings.Contains(long, "2027") {
		t.Errorf("%s", long)
	}
}

// TestStatsJSON: each value of --by has its names and numbers, and values that are counted together.
func TestStatsJSON(t *testing.T) {
	f := statsFigures(3)
	f.Counts.Types = append(f.Counts.Types, figures.Type{Events: 76, Others: 38})
	f.Counts.OtherPages.Distinct, f.Counts.OtherPages.Events, f.Counts.OtherPages.Errors = 99_000, 99_001, 3
	for by, want := range map[string]string{
		"day":     `[["2026-01-05",1000,0],["2026-01-06",2010,10],["2026-01-07",3020,20]]null`,
		"type":    `[["page_view",1204000,0],["error",40000,40000],["\u001b[31mred",1,0]]{"distinct":38,"events":76,"errors":0}`,
		"device":  `[["mobile",90,8],[null,10,0]]null`,
		"browser": `[["Safari",80,7],[null,20,1]]null`,
	} {
		j := newStatsView(f, inspect.Status{}, statsOptions{by: by, timezone: "UTC", zone: time.UTC}).json()
		rows := [][]any{}
		for _, r := range j.Rows {
			rows = append(rows, []any{r.Name, r.Events, r.Errors})
		}
		got, err := json.Marshal(rows)
		others, err2 := json.Marshal(j.Others)
		if err != nil || err2 != nil || string(got)+string(others) != want {
			t.Errorf("--by %s: %s%s", by, got, others)
		}
	}
	j := newStatsView(f, inspect.Status{}, statsOptions{by: "hour", timezone: "UTC", zone: time.UTC}).json()
	if len(j.Rows) != 49 || *j.Rows[0].Name != "2026-01-05T14:00:00Z" || *j.Rows[1].Name != "2026-01-05T15:00:00Z" || j.Rows[1].Events != 0 {
		t.Errorf("%d hours", len(j.Rows))
	}
	if j = newStatsView(f, inspect.Status{}, statsOptions{by: "page", timezone: "UTC", zone: time.UTC}).json(); j.Others == nil || j.Others.Distinct != 99_000 || *j.Rows[3].Name != "" || j.Rows[6].Name != nil {
		t.Errorf("pages: %+v", j)
	}
}

// TestBrowsers: BROWSER is a list of commands, and a terminal's browser is none.
func TestBrowsers(t *testing.T) {
	folder := t.TempDir()
	script := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
		return file
	}
	asked := filepath.Join(folder, "asked")
	good := script("good", `printf '%s|' "$@" >>'`+asked+`'`)
	bad := script("bad", "exit 3")
	w3m := script("w3m", "touch '"+asked+"'")
	// A browser has no terminal that it could draw on.
	alone := script("alone", `(: </dev/tty) 2>/dev/null && exit 4; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] && exit 5; `+good+` "$1"`)
	for _, tc := range []struct{ browser, asked, said string }{
		{good, "/p.html|", ""},
		{good + " --new-window", "--new-window|/p.html|", ""},
		{good + " --app=%s now", "--app=/p.html|now|", ""},
		{bad + ":/none:" + good, "/p.html|", ""},
		{alone, "/p.html|", ""},
		{bad, "", "^datasync: cannot open a browser: .*bad: exit status 3; open /p.html yourself, or name one in BROWSER\n$"},
		{w3m + ":" + bad, "", "bad: exit status 3"},
		{bad + ":" + w3m, "", "w3m is a browser for terminals"},
		{"/none", "", "no such file or directory; open /p.html yourself"},
		{":", "", "BROWSER names none"},
	} {
		_ = os.Remove(asked)
		var said bytes.Buffer
		openInBrowser(term.IO{Getenv: func(name string) string { return map[string]string{"BROWSER": tc.browser}[name] }, Stderr: &said}, "/p.html")
		got, _ := os.ReadFile(asked)
		if string(got) != tc.asked || (tc.said == "") != (said.Len() == 0) || !regexp.MustCompile(tc.said).Match(said.Bytes()) {
			t.Errorf("BROWSER=%s: asked for %q, said %q", tc.browser, got, &said)
		}
	}
	var said bytes.Buffer
	openInBrowser(term.IO{Getenv: func(string) string { return "" }, Stderr: &said}, "/p.html")
	if !strings.Contains(said.String(), "there is no display; open /p.html yourself") {
		t.Errorf("%q", &said)
	}
}
