package term

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestBarLines shows the bar of a pull on terminals of several widths.
func TestBarLines(t *testing.T) {
	rate := []string{fmt.Sprintf("%16s  %s", "8,336 events/s", "feed"), fmt.Sprintf("%16s", "8,336 events/s"), "8,336 events/s", "8,336/s"}
	pull := Bar{Done: 93_000, Total: 300_000, Pull: true, Doing: rate, Left: 25 * time.Second}
	waiting := pull
	waiting.Doing, waiting.Waiting, waiting.Left = []string{"waiting 1 min 12 s: 429", "waiting 72 s"}, true, 101*time.Second
	early := Bar{Total: 300_000, Pull: true}
	unknown := Bar{Done: 93_000, Pull: true, Doing: rate}
	for _, tc := range []struct {
		columns int
		bar     Bar
		want    string
	}{
		{80, pull, " 31 % [====>        ]   93,000 of 300,000    8,336 events/s  feed     25 s left"},
		{80, waiting, " 31 % [====>        ]   93,000 of 300,000  waiting 1 min 12 s: 429   2 min left"},
		{80, early, "  0 % [>            ]        0 of 300,000                                      "},
		{80, unknown, "      [<=>            ]     93,000 events    8,336 events/s  feed              "},
		{60, pull, " 31 % [======>               ]   8,336 events/s   25 s left"},
		{40, pull, " 31 % [=>  ] 8,336 events/s   25 s left"},
		{40, waiting, " 31 % [=>  ] waiting 72 s    2 min left"},
		{35, pull, " 31 % 8,336 events/s   25 s left"},
		{20, pull, " 31 %   25 s left"},
		{10, pull, " 31 %"},
		{5, pull, ""},
		{80, Bar{Done: 31, Total: 100}, " 31 % [==============>                                 ]"},
		{20, Bar{Done: 31, Total: 100}, " 31 % [===>       ]"},
		{80, Bar{Done: 5, Total: 5}, "100 % [================================================]"},
	} {
		if got := tc.bar.line(time.UnixMilli(0), tc.columns, Style{}); got != tc.want {
			t.Errorf("%d columns:\n%q, want\n%q", tc.columns, got, tc.want)
		}
	}
}

// TestBarsKeepTheirWidth: at each width of the terminal, a line never fills it, and no text moves another
// field or changes the line's width. From 40 columns on, the bar has speed and remaining time.
func TestBarsKeepTheirWidth(t *testing.T) {
	for _, total := range []int64{0, 9, 300_000, 3_000_000, 5_000_000_000} {
		for columns := 1; columns < 250; columns++ {
			width := -1
			for i, doing := range [][]string{
				nil, {"", ""}, {"a text that is too long for any of them", "DOING"}, {"DOING"}, {"retry 3 in 8 s: 世界世界世界世界世界世界"}, {"\x1b[2J"}, {strings.Repeat("x", 300)},
			} {
				for _, left := range []time.Duration{0, time.Millisecond, 99 * time.Second, 99 * time.Minute, 99 * time.Hour, 1 << 62} {
					b := Bar{Done: total * int64(i) / 7, Total: total, Pull: true, Doing: doing, Left: left}
					line := b.line(time.UnixMilli(int64(i)*1000), columns, Style{})
					n := columnsIn(line)
					if width < 0 {
						width = n
					}
					if n != width || n >= columns {
						t.Fatalf("%d columns, total %d: %q has %d, others %d", columns, total, line, n, width)
					}
					if strings.ContainsAny(line, "\x1b\n") {
						t.Fatalf("%q", line)
					}
					if columns >= 40 && (left > 0 && !strings.Contains(line, " left") || i == 3 && !strings.Contains(line, "DOING")) {
						t.Fatalf("%d columns: %q lacks what the pull does", columns, line)
					}
					coloured := b.line(time.UnixMilli(int64(i)*1000), columns, Style{true})
					if plain := strings.NewReplacer("\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(coloured); plain != line {
						t.Fatalf("in colour %q, without %q", coloured, line)
					}
				}
			}
		}
	}
}

// columnsIn returns the columns of a text whose only wide characters are 世 and 界.
func columnsIn(text string) int {
	return utf8.RuneCountInString(text) + strings.Count(text, "世") + strings.Count(text, "界")
}

func TestBarLeft(t *testing.T) {
	for left, want := range map[time.Duration]string{
		-time.Second: "", 0: "", time.Millisecond: "1 s left", 99 * time.Second: "99 s left", 100 * time.Second: "2 min left", 59 * time.Minute: "59 min left",
		150 * time.Minute: "3 h left", 150 * time.Hour: "6 d left",
	} {
		if got := (Bar{Left: left}).left(); got != want {
			t.Errorf("%s: %q, want %q", left, got, want)
		}
	}
}
