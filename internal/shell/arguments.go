package shell

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/term"
	"datasync/query"
)

// commandWords returns completions of a command or of the last word of its argument, and where that
// begins. They begin with the word as typed.
func (s *shell) commandWords(ctx context.Context, before string) (words []string, begin int) {
	begin = strings.IndexByte(before, ' ') + 1
	if begin == 0 {
		for _, c := range commands() {
			if c.argument != "" {
				c.name += " "
			}
			words = append(words, c.name)
		}
		return beginning(words, before), 0
	}
	c, err := findCommand(strings.ToLower(before[:begin-1]))
	if err != nil {
		return nil, begin
	}
	begin = len(before) - len(strings.TrimLeft(before[begin:], " "))
	rest := before[begin:]
	switch c.name {
	case ".read":
		return files(s.path, rest), begin
	case ".once", ".output":
		if name, forced := strings.CutPrefix(rest, "--force "); forced {
			return files(s.path, name), len(before) - len(name)
		}
		return append(files(s.path, rest), beginning([]string{"--force "}, rest)...), begin
	}
	at := strings.LastIndexByte(rest, ' ') + 1
	typed, words := rest[at:], s.values(ctx, c.name, strings.Fields(rest[:at]))
	if c.name == ".schema" || c.name == ".tables" { // where case is no matter
		for i, word := range words {
			if len(word) >= len(typed) && strings.EqualFold(word[:len(typed)], typed) {
				words[i] = typed + word[len(typed):]
			}
		}
	}
	return beginning(words, typed), begin + at
}

// beginning returns the words that begin with a text.
func beginning(words []string, text string) []string {
	return slices.DeleteFunc(words, func(word string) bool { return !strings.HasPrefix(word, text) })
}

// values are the words that may follow a command and the words before.
func (s *shell) values(ctx context.Context, name string, before []string) []string {
	switch {
	case name == ".named" && len(before) > 0:
		n, _ := query.FindNamed(before[0])
		words := make([]string, len(n.Params))
		for i, p := range n.Params {
			words[i] = p.Name + "="
		}
		return words
	case name == ".param" && slices.Equal(before, []string{"unset"}):
		return slices.Sorted(maps.Keys(s.Query.Params))
	case len(before) > 0:
		return nil
	}
	switch name {
	case ".help":
		words := make([]string, 0, len(commands()))
		for _, c := range commands() {
			if !strings.Contains(c.name, " ") {
				words = append(words, c.name[1:])
			}
		}
		return words
	case ".mode":
		return strings.Split(query.Formats(), ", ")
	case ".timer":
		return []string{"on", "off"}
	case ".timezone":
		return s.zones(ctx)
	case ".schema", ".tables":
		return s.tableNames(ctx)
	case ".named":
		return namedNames()
	case ".param":
		return s.paramNames()
	}
	return nil
}

// namedNames returns the names of the named queries, each with a space for its parameters.
func namedNames() []string {
	all, _ := query.NamedQueries()
	names := make([]string, len(all))
	for i, n := range all {
		names[i] = n.Name + " "
	}
	return names
}

// paramNames returns the parameters with a value, and those of the last statement and of the named
// queries, each with an equals sign; and unset.
func (s *shell) paramNames() []string {
	names := slices.Collect(maps.Keys(s.Query.Params))
	names = append(names, query.ParamsOf(s.last.text)...)
	all, _ := query.NamedQueries()
	for _, n := range all {
		for _, p := range n.Params {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i := range names {
		names[i] += "="
	}
	return append(names, "unset ")
}

// tableNames returns the names of tables and views that a terminal can show.
func (s *shell) tableNames(ctx context.Context) (names []string) {
	_ = s.withNames(func(session *inspect.Session) (err error) {
		names, err = query.Texts(ctx, session, `SELECT table_name FROM duckdb_tables() WHERE NOT internal
			UNION SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1`, nil)
		return err
	})
	return slices.DeleteFunc(names, func(name string) bool { return term.Visible(name) != name })
}

// zones returns the time zones that both DuckDB and this program know.
func (s *shell) zones(ctx context.Context) (zones []string) {
	_ = s.withNames(func(session *inspect.Session) (err error) {
		zones, err = query.Texts(ctx, session, "SELECT DISTINCT name FROM pg_timezone_names() ORDER BY name", nil)
		return err
	})
	return slices.DeleteFunc(zones, func(zone string) bool {
		_, err := time.LoadLocation(zone)
		return err != nil
	})
}

// files returns the names of files that begin with a text, those of folders with a slash. Names that
// begin with a dot need that dot.
func files(path func(string) string, text string) (names []string) {
	folder, base := filepath.Split(text)
	entries, err := os.ReadDir(filepath.Clean(path(folder)))
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && base == "" || term.Visible(name) != name {
			continue
		}
		if info, err := os.Stat(filepath.Join(path(folder), name)); err == nil && info.IsDir() {
			name += "/"
		}
		names = append(names, folder+name)
	}
	return names
}
