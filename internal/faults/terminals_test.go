package faults

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/creack/pty"
)

// moves reports whether a terminal must not get the character from data: it would move the cursor,
// erase text, set the clipboard or change the writing direction.
func moves(r rune) bool {
	return unicode.Is(unicode.Cc, r) && r != '\n' && r != '\r' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// leavesTerminalsAlone fails the test where data reaches a terminal unescaped, or a pipe escaped.
func (w *world) leavesTerminalsAlone() {
	w.Helper()
	const all = "SELECT type, name, properties, device_type, browser, extra FROM events ORDER BY id"
	commands := [][]string{
		{"query", all},
		{"query", "SELECT raw FROM rejected_events"},
		{"query", "SELECT error(name) FROM events WHERE name LIKE '%2J%'"},
		{"query", "SELECT name::INT FROM events WHERE name LIKE '%2J%'"},
		{"query", "--param", "a=\x1b[2J", "SELECT $a"},
		{"query", "SELECT '\x1b[2J\u202e'"},
		{"query", "SELECT \x1b[2J"},
		{"status"}, {"status", "--rejected"}, {"verify"}, {"schema"}, {"\x1b[2J"}, {"query", "--named", "top_pages"},
	}
	for _, format := range []string{"table", "box", "csv", "tsv", "json", "jsonl", "markdown", "line", "html"} {
		commands = append(commands, []string{"query", "--no-pager", "--format", format, all})
	}
	for _, args := range commands {
		text := w.onTerminal(append([]string{"--color", "never"}, args...)...)
		if at := strings.IndexFunc(text, moves); at >= 0 {
			w.Errorf("%q writes %q to a terminal", args, text[max(0, at-20):min(len(text), at+20)])
		}
		w.noSecret("a terminal", []byte(text))
	}
	rows := w.query("SELECT name FROM events WHERE contains(name, chr(27)) OR name LIKE '=%' ORDER BY name")
	if want := [][]string{{"name"}, {"\x1b[2J\x1b]0;x\x07"}, {"=cmd|' /C calc'!A0"}}; fmt.Sprint(rows) != fmt.Sprint(want) {
		w.Errorf("a pipe gets %q, want %q", rows, want)
	}
	safe := w.run(command{Args: []string{"query", "--csv-safe", "SELECT name FROM events WHERE name LIKE '=%'"}})
	if safe.Out != "name\n'=cmd|' /C calc'!A0\n" {
		w.Errorf("a spreadsheet gets %q", safe.Out)
	}
}

// onTerminal returns the program's output on a terminal.
func (w *world) onTerminal(args ...string) string {
	w.Helper()
	return w.onTerminalOf(5000, args...)
}

// onTerminalOf is onTerminal with this many lines. Longer output goes to the pager.
func (w *world) onTerminalOf(lines uint16, args ...string) string {
	w.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = screen.Close() }()
	if err := pty.Setsize(screen, &pty.Winsize{Rows: lines, Cols: 200}); err != nil {
		w.Fatal(err)
	}
	r := w.start(command{Args: args, Env: append([]string{"TERM=xterm", "DATASYNC_PAGER=cat"}, w.Env...), Terminal: tty})
	_ = tty.Close()
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(screen) // ends with an error when the last descriptor of the other end is closed
		text <- string(b)
	}()
	got := <-text
	r.wait()
	return got
}
