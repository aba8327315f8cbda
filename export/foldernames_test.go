package export_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/outfile"
)

// typed returns events of these types.
func typed(from int, types ...string) []model.Event {
	events := series(from, from+len(types))
	for i := range events {
		events[i].Type = types[i]
	}
	return events
}

// folders returns the names of the folders in a folder.
func folders(t testing.TB, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestFolderNames: names are UTF-8 except for Hive's escapes, and DuckDB reads every value back.
func TestFolderNames(t *testing.T) {
	names := map[string]string{
		"é": "é", "日本語 😀": "日本語 😀", "a b": "a b", "\u202e\u0085\u2028\ufeff": "\u202e\u0085\u2028\ufeff", "": "", ".": ".", "..": "..", " ": " ", "a.": "a.", " a ": " a ",
		"_a": "_a", "<>|}~+,;&@$!()`": "<>|}~+,;&@$!()`", "\x00\x01\t\n\r\x1f\x7f": "%00%01%09%0A%0D%1F%7F", `"#%'*/:=?\{[]^`: "%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E",
		"%41": "%2541", "NULL": "%4EULL", "nULL": "%6EULL", "__HIVE_DEFAULT_PARTITION__": "%5F_HIVE_DEFAULT_PARTITION__", "e\u0301": "e\u0301", "Type": "Type",
	}
	var types, want []string
	for value, name := range names {
		types, want = append(types, value), append(want, "type="+name)
	}
	f := newFixture(t)
	f.commit(model.Done, typed(0, types...))
	target := filepath.Join(t.TempDir(), "a")
	f.mustExport(export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"type"}}})
	checkFolder(t, target, len(types))
	slices.Sort(want)
	if got := folders(t, target); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if text := read(t, manifestOf(target)); !strings.Contains(text, `"escaping": "hive"`) {
		t.Error(text)
	}
	for i, value := range types {
		id := fmt.Sprint(series(i, i+1)[0].ID)
		equal(t, value, ask(t, `SELECT count(*), count(*) FILTER (type = decode(?::BLOB) AND id::VARCHAR = ?) FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)`,
			[]byte(value), id, filepath.Join(target, "*/*.parquet")), len(types), 1)
	}
}

// TestFoldersKeepTheirEscaping: a folder whose manifest does not say how names are escaped keeps
// the escaping of earlier versions, and a new folder keeps Hive's.
func TestFoldersKeepTheirEscaping(t *testing.T) {
	for record, want := range map[string][]string{
		`"escaping": "hive",`: {"type=click", "type=error", "type=view", "type=é b"},
		"":                    {"type=%C3%A9%20b", "type=click", "type=error", "type=view"},
	} {
		f := newFixture(t)
		f.commit(model.Done, series(0, 3))
		target := filepath.Join(t.TempDir(), "a")
		opts := export.Options{Target: target, Incremental: true, Layout: export.Layout{PartitionBy: []string{"type"}}}
		f.mustExport(opts)
		manifest := manifestOf(target)
		recorded := regexp.MustCompile(`"escaping": "hive",`)
		text := read(t, manifest)
		if !recorded.MatchString(text) {
			t.Fatal(text)
		}
		if err := os.WriteFile(manifest, []byte(recorded.ReplaceAllString(text, record)), 0o600); err != nil {
			t.Fatal(err)
		}
		for n := range 3 { // the second and third also add to added files
			f.commit(model.Done, typed(3+n, "é b"))
			f.mustExport(opts)
			checkFolder(t, target, 4+n)
		}
		if got := folders(t, target); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", record, got, want)
		}
		if got := recorded.MatchString(read(t, manifest)); got != (record != "") {
			t.Errorf("%q: recorded is %v", record, got)
		}
		opts.Force = true
		f.mustExport(opts)
		if got := folders(t, target); !slices.Contains(got, "type=é b") {
			t.Errorf("exported anew: %q", got)
		}
	}
}

// TestForeignNames: a manifest cannot name folders that no export would make.
func TestForeignNames(t *testing.T) {
	for _, name := range []string{"type=a%2fb", "type=%61", "type=%C3%A9", "type=a\x01", "type=a:b", "type=NULL", "type=a%zz", "type=a\\b", "typ=a", "type", "=a", "..", "type=%FF", "type=a=b"} {
		f := newFixture(t)
		f.commit(model.Done, typed(0, "known"))
		target := filepath.Join(t.TempDir(), "a")
		opts := export.Options{Target: target, Incremental: true, Layout: export.Layout{PartitionBy: []string{"type"}}}
		f.mustExport(opts)
		manifest := manifestOf(target)
		quoted := strings.Trim(fmt.Sprintf("%+q", name), `"`)
		quoted = strings.ReplaceAll(quoted, `\x`, `\u00`)
		text := strings.ReplaceAll(read(t, manifest), "type=known", quoted)
		if err := errors.Join(os.WriteFile(manifest, []byte(text), 0o600), os.Rename(filepath.Join(target, "type=known"), filepath.Join(target, "x"))); err != nil {
			t.Fatal(err)
		}
		f.commit(model.Done, series(1, 2))
		if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) || !strings.Contains(err.Error(), "which no such export would make") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUnknownEscaping: a newer program may escape names differently.
func TestUnknownEscaping(t *testing.T) {
	f := database(t, 3)
	target := filepath.Join(t.TempDir(), "a")
	opts := export.Options{Target: target, Incremental: true, Layout: export.Layout{PartitionBy: []string{"type"}}}
	f.mustExport(opts)
	manifest := manifestOf(target)
	if err := os.WriteFile(manifest, []byte(strings.Replace(read(t, manifest), `"escaping": "hive"`, `"escaping": "other"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) || !strings.Contains(err.Error(), "update datasync") {
		t.Error(err)
	}
}

// TestValuesTooLongForFolders: an export refuses a value that is too long for a folder's name
// before it writes anything. The error says how to exclude it.
func TestValuesTooLongForFolders(t *testing.T) {
	f := newFixture(t)
	f.commit(model.Done, series(0, 10))
	target := filepath.Join(t.TempDir(), "a")
	opts := export.Options{Target: target, Incremental: true, Layout: export.Layout{PartitionBy: []string{"day", "type"}, FileSize: 1_000_000}}
	f.mustExport(opts)
	before := tree(t, target)
	// With "type=", 255 bytes are the most that a name can have.
	fits := strings.Repeat("é", 125)
	f.commit(model.Done, typed(10, fits, strings.Repeat("x", 251), strings.Repeat("x", 251), strings.Repeat("é", 126)))
	where := `coalesce(strlen(CAST("type" AS VARCHAR)), 0) < 251`
	elsewhere := filepath.Join(t.TempDir(), "b")
	for _, target := range []string{target, elsewhere} {
		opts.Target = target
		_, err := f.export(opts)
		if !errors.Is(err, export.ErrOptions) || len(err.Error()) > 600 {
			t.Fatal(err)
		}
		for _, part := range []string{"a value of type is too long for a folder's name: ", "of 252 bytes; 3 events have one of 2 such values; ", "--where '" + where + "'"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v, want %q", err, part)
			}
		}
		if got := strings.Contains(err.Error(), "--force"); got != (target != elsewhere) {
			t.Errorf("%s: %v", target, err)
		}
	}
	if after := tree(t, target); after != before {
		t.Errorf("%s, before %s", after, before)
	}
	if _, err := os.Lstat(elsewhere); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	opts.Incremental, opts.Where = false, where
	f.mustExport(opts)
	checkFolder(t, opts.Target, 11)
}

// TestEscapedValuesTooLongForFolders: escaping makes values longer, so the length of a value does
// not decide whether it is too long.
func TestEscapedValuesTooLongForFolders(t *testing.T) {
	f := newFixture(t)
	f.commit(model.Done, typed(0, strings.Repeat("x", 200), strings.Repeat("%", 84), "it's"))
	opts := export.Options{Layout: export.Layout{PartitionBy: []string{"type"}}}
	for _, tc := range []struct {
		selection export.Selection
		pattern   string
		rows      int
	}{
		{export.Selection{}, `; 1 event has it; .* --where '(.*)'$`, 2},
		{export.Selection{Where: "type <> 'it''s'"}, `--where '(.*)'$`, 1},
		{export.Selection{Query: "SELECT type, 1 AS n FROM events"}, `; 1 row has it; .* a WHERE in the query, such as (.*)$`, 2},
	} {
		opts.Selection, opts.Target = tc.selection, filepath.Join(t.TempDir(), "a")
		_, err := f.export(opts)
		if !errors.Is(err, export.ErrOptions) {
			t.Fatal(err)
		}
		m := regexp.MustCompile(tc.pattern).FindStringSubmatch(err.Error())
		if m == nil {
			t.Fatalf("%v, want %s", err, tc.pattern)
		}
		if tc.selection.Query != "" {
			opts.Query += " WHERE " + m[1]
		} else {
			opts.Where = strings.ReplaceAll(m[1], `'\''`, "'") // as a shell reads it
		}
		f.mustExport(opts)
		checkFolder(t, opts.Target, tc.rows)
	}
}

// TestKeysThatReadersMiss: readers skip folders whose names begin with _ or a dot, and read
// escaped names of columns as they are.
func TestKeysThatReadersMiss(t *testing.T) {
	f := database(t, 3)
	for _, name := range []string{"_a", ".a", "a:b", "a=b", "a/b", "%41"} {
		target := filepath.Join(t.TempDir(), "a")
		_, err := f.export(export.Options{Target: target, Selection: export.Selection{Query: `SELECT type AS "` + name + `", id FROM events`}, Layout: export.Layout{PartitionBy: []string{name}}})
		if !errors.Is(err, export.ErrOptions) || !strings.Contains(err.Error(), "by AS") {
			t.Errorf("%q: %v", name, err)
		}
	}
	target := filepath.Join(t.TempDir(), "a")
	f.mustExport(export.Options{Target: target, Selection: export.Selection{Query: `SELECT type AS "Größe x.y", id FROM events`}, Layout: export.Layout{PartitionBy: []string{"Größe x.y"}}})
	equal(t, "values", ask(t, `SELECT count(DISTINCT "Größe x.y") FROM read_parquet(?)`, filepath.Join(target, "*/*.parquet")), 3)
}
