package app_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"datasync/internal/store"
)

// FuzzErrorTexts: an error is one line on a terminal, whatever it repeats of the command line,
// of a file name or of DuckDB's message. Only wrong SQL has two more, the line and a caret.
func FuzzErrorTexts(f *testing.F) {
	f.Add("\x1b[2J")
	folder := f.TempDir()
	path := filepath.Join(folder, "a.duckdb")
	s, err := store.Open(context.Background(), store.Options{Path: path, Origin: "http://api.test:80"})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, args := range [][]string{
			{"x" + text},
			{"--x" + text},
			{"--db", folder + "/none/" + text, "status"},
			{"--db", path, "query", "--format", "x" + text, "SELECT 1"},
			{"--db", path, "query", "--param", "x" + text, "SELECT 1"},
			{"--db", path, "query", "--named", "x" + text},
			{"--db", path, "query", `SELECT "no` + strings.ReplaceAll(text, `"`, "")},
			{"--db", path, "query", `SELECT "no` + strings.ReplaceAll(text, `"`, `""`) + `"`},
			{"--db", path, "export", "--uuid", "x" + text, "--csv", folder + "/out"},
			{"pull", "--base-url", "x" + text},
		} {
			code, said := run(args...)
			lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
			if len(lines) == 3 && args[2] == "query" && strings.HasPrefix(lines[1], "LINE ") && strings.TrimLeft(lines[2], " ") == "^" {
				lines = lines[:2] // the caret is checked
			} else if len(lines) != 1 {
				t.Errorf("%q: %d lines: %q", args, len(lines), said)
			}
			line := strings.Join(lines, "")
			if code == 0 || !strings.HasPrefix(line, "datasync: ") || !utf8.ValidString(line) || strings.ContainsFunc(line, moves) {
				t.Errorf("%q: exit %d, %q", args, code, said)
			}
		}
	})
}

// moves reports whether a character could control a terminal.
func moves(r rune) bool {
	for _, span := range [][2]rune{
		{0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c}, {0x200b, 0x200c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x2064},
		{0x2066, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}
