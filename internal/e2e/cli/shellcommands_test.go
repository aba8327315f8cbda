package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
)

// TestShellWords: exit, quit, help and ? work with and without a semicolon, but not within a
// statement.
func TestShellWords(t *testing.T) {
	t.Parallel()
	folder := harness.Demo(t)
	for _, word := range []string{"exit", "exit;", "EXIT ;", "quit", "quit;", `\q`, ".exit", ".quit;", ".q"} {
		x := harness.NewTerminal(t, folder, nil, "query")
		x.Enter("help;")
		x.Expect(`\.timezone \[ZONE\]`)
		x.Enter("?")
		x.Expect(`\.timezone \[ZONE\]`)
		x.Enter(word)
		if code := x.Exit(); code != 0 {
			t.Errorf("%s: exit %d", word, code)
		}
		for line := range strings.Lines(x.Text()) {
			if len(strings.TrimRight(line, "\r\n")) > 80 && strings.HasPrefix(line, ".") {
				t.Errorf("%q is wider than 80 columns", line)
			}
		}
	}
	for _, columns := range []int{40, 60, 80} {
		x := harness.NewTerminalOf(t, columns, folder, nil, "query")
		x.Enter(".help")
		x.Expect(`need\s+no\s+dot`)
		x.Enter("exit")
		x.Exit()
		_, help, _ := strings.Cut(x.Text(), ".help\r\n")
		help, _, _ = strings.Cut(help, "\x1b")
		for line := range strings.Lines(help) {
			if line = strings.TrimRight(line, "\r\n"); len(strings.TrimPrefix(line, " \b")) > columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Enter("SELECT 7 AS")
	x.Expect(`\.\.\.> `)
	x.Send("exit\r")
	x.Expect(`"exit" is a part of the statement here; Ctrl-C drops the statement`)
	x.Send(";\r")
	x.Expect(`│ exit +│`)
	x.Enter("SELECT 8 AS exit;")
	x.Expect(`│ +8 │`)
	x.Enter(".t")
	x.Expect(`\.t may be \.tables or \.timer or \.timezone`)
	x.Enter(".tab")
	x.Expect(`rejected_events`)
}

// TestShellCommands enters commands and statements, and expects what they show.
func TestShellCommands(t *testing.T) {
	t.Parallel()
	folder := harness.Demo(t)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a b.sql", "-- a comment\n.mode csv\nSELECT 'from' ||\n 'file' AS text;\n.read 'last.sql'\n")
	write("last.sql", "SELECT 'no semi' || 'colon' AS text")
	write("wrong.sql", "SELECT 1 AS one;\nSELECT nothing;\nSELECT 'never' || 'shown';\n")
	write("self.sql", ".read self.sql\n")
	write("leave.sql", "SELECT 'bye' || 'bye';\nexit\nSELECT 'never' || 'shown';\n")
	write("bom.sql", "\ufeffSELECT 'b' || 'om';")
	write("kept.csv", "mine")
	x := harness.NewTerminal(t, folder, nil, "query")
	for _, step := range [][2]string{
		{".param", `.param\r\n`}, {".param type=purchase", ``}, {".param $since='2026-01-27 00:00'", ``}, {".param", `since=2026-01-27 00:00\r\ntype=purchase\r\n`},
		{".mode csv", ``}, {"SELECT $type AS a;", `a\r\npurchase\r\n`}, {"SELECT 1 AS b;", `b\r\n1\r\n`},
		{"SELECT $since AS c, $type AS d;", `2026-01-27 00:00,purchase`}, {".param unset since", ``}, {"SELECT $since AS c;", `since`},
		{".param unset since", `\$since has no value`}, {".param type", `want NAME=VALUE, or unset NAME`}, {".param =5", `want NAME=VALUE`},
		{".param empty=", ``}, {"SELECT length($empty) AS n;", `n\r\n0\r\n`},
		{".timezone", `UTC\r\n`}, {".timezone Mars/Olympus", `is not a time zone such as UTC`}, {".timezone Asia/Tokyo", ``}, {".timezone", `Asia/Tokyo\r\n`},
		{"SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AS t;", `2026-01-01T09:00:00\+09:00`}, {".timezone UTC", ``},
		{".named", `(?s)events_per_hour .*funnel .*steps=`}, {".named list", `events_per_hour `}, {".named funnel steps=page_view,click within='7 days'", `step,type,sessions.*\r\n1,page_view,\d+`},
		{".named funel", `funnel`}, {".named funnel speed=5", `funnel has no parameter speed, but steps`},
		{".last", `step,type,sessions`}, {".mode json", ``}, {".last", `"type":"page_view"`}, {".mode table", ``},
		{".maxrows 2", ``}, {"FROM range(5) t(i);", `5 rows \(2 shown\)`}, {".last", `│ +2 │`}, {".maxrows 40", ``},
		{".once result.md", ``}, {"SELECT 6 AS six, NULL AS nothing;", `wrote result\.md`}, {"SELECT 7 AS seven;", `│ +7 │`},
		{".once result.md", `it exists; give --force`}, {".once --force result.md", ``}, {".last", `wrote result\.md`},
		{".once never.csv", ``}, {"SELECT nothing;", `never\.csv is not written`}, {"SELECT 8 AS eight;", `│ +8 │`},
		{".once never.csv", ``}, {".once", `name the file`}, {".output", `never\.csv is not written: there was no result`},
		{".output all.csv", ``}, {"SELECT 1 AS a;", ``}, {"SELECT 'x' || chr(27) AS b;", ``}, {".output", `wrote all\.csv`}, {"SELECT 9 AS nine;", `│ +9 │`},
		{".output one.json", ``}, {"SELECT 1 AS a;", ``}, {"SELECT 2 AS b;", `a JSON file takes one result`}, {"SET VARIABLE x = 1;", `stays open`}, {".close", `lost: variable x`}, {".output", `wrote one\.json`},
		{".once one.json", `it exists`}, {".once two.json", ``}, {"SELECT 1 AS a; SELECT 2 AS b;", `two\.json is not written`},
		{".output kept.csv", `it exists`}, {".output datasync.duckdb", `datasync\.duckdb`}, {".output x.parquet", `export`}, {".output nowhere/x.csv", `folder does not exist`},
		{".output link.csv", ``}, {".output", `wrote link\.csv`},
		{".read a b.sql", `text\r\nfromfile\r\ntext\r\nno semicolon\r\n`}, {".mode", `csv\r\n`}, {".read bom.sql", `bom\r\n`},
		{".read wrong.sql", `(?s)one\r\n1\r\n.*Binder Error.*wrong\.sql stopped at line 2\r\n`}, {".read self.sql", `files are nested more than 16 deep`},
		{".read nix.sql", `\.read nix\.sql: no such file or directory`}, {".read", `name the file`}, {".read .", `not a regular file`},
		{".read datasync.duckdb", `it is the database, or a file that belongs to it`},
		{".close", `datasync\.duckdb is not open`}, {"SELECT count(*) AS n FROM events;", `n\r\n2000\r\n`},
		{".read leave.sql", `byebye`},
	} {
		x.Enter(step[0])
		x.Expect(step[1])
	}
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d: %q", code, x.Text())
	}
	if regexp.MustCompile(`nevershown`).MatchString(x.Text()) {
		t.Errorf("%q", x.Text())
	}
	for name, want := range map[string]string{
		"result.md": "| seven |\n| ---: |\n| 7 |\n", "all.csv": "a\n1\nb\nx\x1b\n", "kept.csv": "mine", "link.csv": "", "one.json": "[\n{\"a\":1}\n]\n",
	} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		info, errStat := os.Stat(filepath.Join(folder, name))
		if err != nil || errStat != nil || string(b) != want || name != "kept.csv" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %q, %v, %v, %v", name, b, info.Mode(), err, errStat)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "never.csv")); err == nil {
		t.Error("never.csv exists")
	}
}

// TestListOfCompletions: Ctrl-C leaves a list of completions and drops the line; the list knows the
// alias after the cursor, and the lines before it.
func TestListOfCompletions(t *testing.T) {
	t.Parallel()
	x := harness.NewTerminal(t, harness.Demo(t), nil, "query")
	const left = "\x1b[D"
	x.Expect(`datasync> `)
	x.Send("SELECT e. FROM events e" + strings.Repeat(left, len(" FROM events e")) + "\t")
	x.Expect(`id +session_id +user_id +type`)
	x.Send("\x03")
	x.Enter("SELECT 10 AS ten;")
	x.Expect(`│ +10 │`)
	for range 2 { // the second Tab selects from the list
		x.Expect(`datasync> `)
		x.Send("SELECT 'dropped', s FROM events" + strings.Repeat(left, len(" FROM events")) + "\t\t")
		x.Expect(`session_id`)
		x.Send("\x03")
		x.Enter("SELECT 11 AS eleven;")
		x.Expect(`│ +11 │`)
	}
	x.Expect(`datasync> `)
	x.Send("\x12SELECT 1") // a search
	x.Expect(`SELECT 11`)
	x.Send("\x03")
	x.Enter("FROM events e")
	x.Expect(`\.\.\.> `)
	x.Send("SELECT e.devi\t, count(*) AS n GROUP BY ALL ORDER BY n;\r")
	x.Expect(`│ +device_type +│`)
	x.Enter("SET VARIABLE x = 1; CREATE TEMP TABLE scratch (number_of_things INT);")
	x.Expect(`until \.close or a pull asks`)
	x.Enter("SELECT number_o\t FROM scra\t;")
	x.Expect(`│ +number_of_things +│`)
	x.Enter(".mo\tjsonl")
	x.Enter(".mode")
	x.Expect(`jsonl\r\n`)
	x.Enter(".named fu\t")
	x.Expect(`"step":1`)
}

// TestShellOfOthers: a command that is misspelt, or that another shell has, is answered with what to
// use; values need no particular case.
func TestShellOfOthers(t *testing.T) {
	t.Parallel()
	x := harness.NewTerminal(t, harness.Demo(t), nil, "query")
	for _, step := range [][2]string{
		{".exti", `unknown command \.exti; did you mean \.exit\?`}, {".tabels", `did you mean \.tables\?`}, {".shcema", `did you mean \.schema\?`},
		{".headers on", `there is no \.headers; every result has the names of its columns`}, {".width 10 20", `there is no \.width; a table fits`},
		{".open other.duckdb", `there is no \.open; leave, and start datasync query --db FILE`}, {".dump", `use \.schema, or datasync export`}, {".xyzzy", `unknown command \.xyzzy; see \.help`},
		{`\dt`, `there is no \\dt; use \.tables`}, {`\d events`, `use \.tables, or \.schema TABLE`}, {`\x`, `use \.mode line`}, {`\qq`, `unknown command`},
		{".mode JSONL", ``}, {".MODE", `jsonl\r\n`}, {".mode duckbox", `did you\s+mean\s+table\?`}, {".mode column", `did you\s+mean\s+table\?`}, {".mode tabs", `did you\s+mean\s+tsv\?`}, {".mode jsno", `did you\s+mean\s+json\?`},
		{".timer ON", ``}, {".timer", `on\r\n`}, {".timer off", ``}, {".maxrows all", ``}, {".maxrows", `0\r\n`}, {".maxrows 40", ``},
		{".timezone Berlin", `\.timezone Berlin is not a time zone; did you mean Europe/Berlin\?`}, {".timezone new_york", `did you mean America/New_York\?`},
		{".tables ev%", `events\r\nevents_flat\r\n`}, {".tables 'EVENTS'", `\x08events\r\n`}, {".tables evnts", `no table or view "evnts"; did you mean events\?`},
		{".schema Events_Flat", `CREATE VIEW events_flat`}, {".schema evnts", `did you mean events\?`}, {".help mode", `\x08\.mode \[FORMAT\]`}, {".help .exit", `\.quit`},
		{".param list", ``}, {".close it", `takes no argument`}, {"SELECT 10 AS ten;", `\{"ten":10\}`},
	} {
		x.Enter(step[0])
		x.Expect(step[1])
	}
}

// TestCompletionOfArguments: Tab completes the argument of each command that takes one of several.
func TestCompletionOfArguments(t *testing.T) {
	t.Parallel()
	folder := harness.Demo(t)
	for name, text := range map[string]string{"sql/first of all.sql": "SELECT 'fi' || 'rst';", ".hidden.sql": "SELECT 1;", "esc\x1b.sql": "SELECT 2;"} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	for _, step := range [][2]string{
		{"FROM eve\t\t", `events +events_flat`}, {"FROM runs JOIN check\t\t", `checkpoint +checkpoints`}, {"DESCRIBE ev\t\t", `events +events_flat`},
		{"SELECT e.us\t", `e\.user_id`}, {".schema ev\t\t", `events +events_flat`}, {".schema REJ\t", `REJected_events`}, {".tables ru\t", `runs`},
		{".timezone Europe/Berl\t", `Berlin`}, {".timezone Eur\t\t", `Europe/Amsterdam`}, {".mode ma\t", `markdown`}, {".mode \t\t", `jsonl`}, {".timer o\t\t", `on +off`},
		{".named top\t", `top_pages`}, {".named funnel st\t", `steps=`}, {".named funnel steps=click wi\t", `within=`}, {".param sin\t", `since=`}, {".param uns\t", `unset`},
		{".help timez\t", `timezone`}, {".once --f\t", `--force`}, {".once sq\t", `sql/`}, {".output --force sq\t", `sql/`},
	} {
		x.Expect(`datasync> `)
		x.Send(step[0])
		x.Expect(step[1])
		x.Send("\x03")
	}
	x.Enter(".param type=click")
	x.Enter(".param unset t\t")
	x.Enter(".param unset type")
	x.Expect(`\$type has no value`)
	x.Enter("SELECT $mine AS a;")
	x.Enter(".param mi\t7")
	x.Enter("SELECT $mine AS a;")
	x.Expect(`│ 7 +│`)
	x.Enter(".read sq\tfi\t")
	x.Expect(`│ first +│`)
	x.Expect(`datasync> `)
	x.Send(".read \t\t")
	x.Expect(`datasync\.duckdb +sql/`)
	if text := x.Text(); strings.Contains(text, ".hidden") || strings.Contains(text, "esc\x1b.sql") {
		t.Errorf("%q", text)
	}
}
