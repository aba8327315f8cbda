package export_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/outfile"
)

func sum(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// manifest is the part of a manifest that readers use.
type manifest struct {
	Version                 int
	Format, Origin, Run     string
	Rows, Bytes, Batch      int64
	Complete                bool
	Missing                 *int64
	Layout, Selection, Tool any
	Schema                  []struct{ Name, Type string }
	Files                   []manifestFile
	DataAsOf                map[string]any `json:"data_as_of"`
}

type manifestFile struct {
	Path, SHA256 string
	Rows, Bytes  int64
	Batches      []int64
}

// insideOf returns the path of the manifest of a folder of an earlier version.
func insideOf(folder string) string { return filepath.Join(folder, "_manifest.json") }

// manifestOf returns the path of a folder's manifest.
func manifestOf(folder string) string {
	if _, err := os.Lstat(insideOf(folder)); err == nil {
		return insideOf(folder)
	}
	return folder + ".manifest.json"
}

// checkFolder compares a folder with its manifest, and its rows with the wanted number.
func checkFolder(t checker, folder string, rows int) manifest {
	t.Helper()
	b, err := os.ReadFile(manifestOf(folder))
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	var total, bytes int64
	var known []string
	version := 2
	if manifestOf(folder) == insideOf(folder) {
		known, version = append(known, "_manifest.json"), 1
	}
	for _, f := range m.Files {
		content, err := os.ReadFile(filepath.Join(folder, f.Path))
		if err != nil || int64(len(content)) != f.Bytes || fmt.Sprintf("%x", sha256.Sum256(content)) != f.SHA256 {
			t.Errorf("%+v is not what stands there: %v", f, err)
		}
		total, bytes = total+f.Rows, bytes+f.Bytes
		known = append(known, f.Path)
	}
	if total != m.Rows || bytes != m.Bytes || m.Rows != int64(rows) || m.Version != version {
		t.Errorf("%d rows and %d bytes in files, %d and %d in the manifest of version %d; want %d rows", total, bytes, m.Rows, m.Bytes, m.Version, rows)
	}
	var found []string
	err = fs.WalkDir(os.DirFS(folder), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, path)
			if info, errInfo := e.Info(); errInfo != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", path, info.Mode(), errInfo)
			}
		}
		return err
	})
	slices.Sort(known)
	slices.Sort(found)
	if err != nil || !slices.Equal(known, found) {
		t.Errorf("%v stand there, want %v; %v", found, known, err)
	}
	return m
}

// shuffled makes a file of events in random order, in batches.
func shuffled(t *testing.T, events int) *fixture {
	f := newFixture(t)
	all := series(0, events)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i := range all {
		// Many share an instant, and some have no browser.
		all[i].Timestamp -= all[i].Timestamp % 20_000
		if i%5 > 0 {
			all[i].Browser = sql.NullString{String: []string{"Chrome", "Fire/fox & co", "ünï=1", ""}[i%4], Valid: true}
		}
	}
	for batch := range slices.Chunk(all, model.MaxRows) {
		f.commit(model.Done, batch)
	}
	return f
}

// TestOrder: rows ascend in each file although several threads write them.
func TestOrder(t *testing.T) {
	events := 700_000
	if testing.Short() {
		events = 40_000
	}
	f := shuffled(t, events)
	folder := t.TempDir()
	single := filepath.Join(folder, "a.parquet")
	f.mustExport(export.Options{Target: single})
	equal(t, "one file", ask(t, ordered, single), events, events, 0)
	for name, tc := range map[string]struct {
		layout export.Layout
		files  int
		glob   string
	}{
		"type":     {export.Layout{PartitionBy: []string{"type"}}, 3, "*/*.parquet"},
		"browser":  {export.Layout{PartitionBy: []string{"browser"}}, 5, "*/*.parquet"},
		"both":     {export.Layout{PartitionBy: []string{"browser", "type"}}, 15, "*/*/*.parquet"},
		"time":     {export.Layout{PartitionBy: []string{"year", "month", "day", "hour"}}, -1, "*/*/*/*/*.parquet"},
		"size":     {export.Layout{FileSize: 4_000_000}, -1, "*.parquet"},
		"and size": {export.Layout{PartitionBy: []string{"type"}, FileSize: 2_000_000}, -1, "*/*.parquet"},
	} {
		t.Run(name, func(t *testing.T) {
			target := filepath.Join(folder, name)
			result := f.mustExport(export.Options{Target: target, Layout: tc.layout})
			m := checkFolder(t, target, events)
			if tc.files >= 0 && result.Files != int64(tc.files) || result.Files != int64(len(m.Files)) {
				t.Errorf("%d files, want %d", result.Files, tc.files)
			}
			equal(t, "order", ask(t, ordered, filepath.Join(target, tc.glob)), events, events, 0)
			if size := tc.layout.FileSize; size > 0 {
				for i, file := range m.Files {
					if file.Bytes > size*3/2 {
						t.Errorf("%s has %d bytes, want about %d", file.Path, file.Bytes, size)
					}
					if i > 0 && filepath.Dir(file.Path) == filepath.Dir(m.Files[i-1].Path) {
						equal(t, "files follow each other", ask(t, `SELECT (SELECT max("timestamp") FROM read_parquet(?)) < (SELECT min("timestamp") FROM read_parquet(?))`,
							filepath.Join(target, m.Files[i-1].Path), filepath.Join(target, file.Path)), true)
					}
				}
			}
		})
	}
	// Readers take the values from the folders' names.
	equal(t, "values", ask(t, `SELECT count(*) FILTER (browser IS NULL), count(*) FILTER (browser = 'Fire/fox & co'), count(*) FILTER (browser = 'ünï=1'), count(*) FILTER (browser = '')
		FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)`, filepath.Join(folder, "browser", "*/*.parquet")),
		count(f, "browser IS NULL"), count(f, "browser = 'Fire/fox & co'"), count(f, "browser = 'ünï=1'"), count(f, "browser = ''"))
	equal(t, "spans", ask(t, `SELECT count(DISTINCT hour), count(*) FILTER (strftime("timestamp" AT TIME ZONE 'UTC', '%Y-%m-%dT%H') <> hour OR strftime("timestamp" AT TIME ZONE 'UTC', '%Y-%m-%d') <> day OR NOT starts_with(day, month) OR NOT starts_with(month, year))
		FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)`, filepath.Join(folder, "time", "*/*/*/*/*.parquet")), len(checkFolder(t, filepath.Join(folder, "time"), events).Files), 0)
}

// count counts the database's own events.
func count(f *fixture, where string) string {
	f.t.Helper()
	db, err := inspect.OpenReadOnly(f.t.Context(), f.path, "UTC")
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var n string
	if err := db.QueryRow("SELECT count(*)::VARCHAR FROM events WHERE " + where).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestManifest(t *testing.T) {
	f := database(t, 3000)
	target := filepath.Join(t.TempDir(), "a")
	f.mustExport(export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"day", "Type"}}, Selection: export.Selection{Where: "true", Since: sql.Null[model.Instant]{Valid: true}}})
	m := checkFolder(t, target, 3000)
	if m.Format != "parquet" || m.Origin != "http://api.test:80" || m.Batch != 1 || m.Run != f.run.String() || !m.Complete || len(m.Schema) != 10 || m.Schema[3].Name != "name" ||
		m.Schema[4].Type != "TIMESTAMP WITH TIME ZONE" || m.Tool != "test" ||
		fmt.Sprint(m.Layout) != "map[compression:zstd escaping:hive partition_by:[day Type] row_group_size:122880 types:portable]" || fmt.Sprint(m.Selection) != "map[since:1970-01-01T00:00:00Z where:true]" {
		t.Errorf("%+v", m)
	}
	for _, file := range m.Files {
		if !strings.HasPrefix(file.Path, "day=2026-01-27/type=") || !strings.HasSuffix(file.Path, "/events-1-1-0000.parquet") || !slices.Equal(file.Batches, []int64{1, 1}) {
			t.Errorf("%+v", file)
		}
	}
}

func TestFoldersOfQueries(t *testing.T) {
	f := database(t, 3000)
	target := filepath.Join(t.TempDir(), "a")
	// random() gives other rows each time a query runs.
	// The rows of a query may spill, beside the folder.
	f.mustExport(export.Options{Target: target + "/", Selection: export.Selection{Query: `SELECT floor(random() * 4)::INTEGER AS part, id, "timestamp" FROM events ORDER BY random()`},
		Layout: export.Layout{PartitionBy: []string{"part"}}})
	checkFolder(t, target, 3000)
	equal(t, "order", ask(t, ordered, filepath.Join(target, "*/*.parquet")), 3000, 3000, 0)
	nulls := filepath.Join(t.TempDir(), "nulls")
	f.mustExport(export.Options{Target: nulls, Selection: export.Selection{Query: "SELECT n, p FROM (VALUES (1, NULL), (2, 'NULL'), (3, '__HIVE_DEFAULT_PARTITION__'), (4, ''), (5, 'null')) v(n, p)"},
		Layout: export.Layout{PartitionBy: []string{"p"}}})
	checkFolder(t, nulls, 5)
	equal(t, "nulls", ask(t, "SELECT string_agg(n || coalesce(p, '-'), ' ' ORDER BY n) FROM read_parquet(?, hive_partitioning = true)", filepath.Join(nulls, "*/*.parquet")),
		"1- 2NULL 3__HIVE_DEFAULT_PARTITION__ 4 5null")
	csv := filepath.Join(t.TempDir(), "b")
	f.mustExport(export.Options{Target: csv, Selection: export.Selection{Query: "SELECT n % 2 = 0 AS even, n FROM range(100) r(n) ORDER BY n DESC"}, Layout: export.Layout{Format: export.CSV, PartitionBy: []string{"even"}}})
	checkFolder(t, csv, 100)
	if text := read(t, filepath.Join(csv, "even=true", "rows-0000.csv")); !strings.HasPrefix(text, "n\n98\n96\n") {
		t.Errorf("%.30q", text)
	}
}

// anyText are values with a meaning in SQL, in a path or in a folder's name.
var anyText = []string{"a\x00b", "\x00", "'", "''; DROP TABLE events; --", "$1", "?", `\`, "%00", "%", "a/b", "..", "/", "=", "\n", "\x1b]0;x\a", "\"", "E'\\x01'", "ü\u202e", " ", ""}

// TestPartitionsByAnyText: rows are partitioned by hostile values, in one group of small files and
// in a file each.
func TestPartitionsByAnyText(t *testing.T) {
	f := newFixture(t)
	events := series(0, 2*len(anyText))
	for i := range events {
		events[i].Type, events[i].Browser = anyText[i%len(anyText)], sql.NullString{String: anyText[i/2], Valid: i > 1}
	}
	f.commit(model.Done, events)
	for name, layout := range map[string]export.Layout{
		"parquet": {PartitionBy: []string{"type", "browser"}},
		"csv":     {PartitionBy: []string{"type", "browser"}, Format: export.CSV},
		"jsonl":   {PartitionBy: []string{"browser", "day", "type"}, Format: export.JSONLines},
	} {
		target := filepath.Join(t.TempDir(), name)
		f.mustExport(export.Options{Target: target, Layout: layout})
		checkFolder(t, target, len(events))
		if name == "parquet" {
			equal(t, "values", ask(t, `SELECT count(*), count(*) FILTER (id::VARCHAR IN (SELECT unnest(string_split(?, ' ')))) FROM read_parquet(?, hive_partitioning = false)`,
				ids(events), filepath.Join(target, "*/*/*.parquet")), len(events), len(events))
		}
	}
	if _, err := os.Stat(filepath.Join(f.mustFolder(export.Selection{}), "type=a%00b")); err != nil {
		t.Error(err)
	}
	for i, value := range anyText {
		if strings.ContainsRune(value, 0) {
			value = strings.ReplaceAll(value, "\x00", "' || chr(0) || '")
		} else {
			value = strings.ReplaceAll(value, "'", "''")
		}
		m := checkFolder(t, f.mustFolder(export.Selection{Where: "type = '" + value + "'"}), 2)
		if len(m.Files) != 1 {
			t.Errorf("%q: %v", anyText[i], m.Files)
		}
	}
}

// mustFolder exports by type to a new folder.
func (f *fixture) mustFolder(selection export.Selection) string {
	target := filepath.Join(f.t.TempDir(), "types")
	f.mustExport(export.Options{Target: target, Selection: selection, Layout: export.Layout{PartitionBy: []string{"type"}}})
	return target
}

func ids(events []model.Event) string {
	texts := make([]string, len(events))
	for i := range events {
		texts[i] = events[i].ID.String()
	}
	return strings.Join(texts, " ")
}

func TestReplacedFolders(t *testing.T) {
	f := database(t, 300)
	parent := t.TempDir()
	target := filepath.Join(parent, "a")
	opts := export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"type"}}}
	f.mustExport(opts)
	if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) {
		t.Error(err)
	}
	opts.Force, opts.PartitionBy = true, []string{"hour"}
	f.mustExport(opts)
	checkFolder(t, target, 300)
	mine := filepath.Join(target, "mine.txt")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) || !strings.Contains(err.Error(), "mine.txt") {
		t.Error(err)
	}
	for _, damage := range []string{"", "{}", "[", `{"version":3}`, `{"version":1,"files":[{"path":"../mine.txt"}]}`} {
		other := filepath.Join(parent, "other")
		if err := errors.Join(os.RemoveAll(other), os.Mkdir(other, 0o700), os.WriteFile(filepath.Join(other, "_manifest.json"), []byte(damage), 0o600)); err != nil {
			t.Fatal(err)
		}
		for _, incremental := range []bool{false, true} {
			opts := export.Options{Target: other, Force: !incremental, Incremental: incremental, Layout: export.Layout{FileSize: 1_000_000}}
			if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) {
				t.Errorf("%q: %v", damage, err)
			}
		}
	}
}

// TestOversizedManifests: a manifest that somebody else wrote fills neither the memory nor the
// terminal.
func TestOversizedManifests(t *testing.T) {
	f := database(t, 1)
	many := func(element string) string { return strings.Repeat(element+",", 5_000_000) + element }
	long := strings.Repeat("a", 3_000_000)
	for name, text := range map[string]string{
		"files":         `{"version":1,"files":[` + many("{}") + `]}`,
		"named files":   `{"version":1,"files":[` + strings.Repeat(`{"path":"events-1-1-0000.parquet"},`, 300_000) + `{}]}`,
		"FILES":         `{"version":1,"FILES":[` + many("{}") + `]}`,
		"columns":       `{"version":1,"schema":[` + many("{}") + `]}`,
		"keys":          `{"version":1,"layout":{"partition_by":[` + many(`""`) + `]}}`,
		"a text":        `{"version":1,"format":"` + long + long + `"}`,
		"a long text":   `{"version":1,"format":"` + long + `"}`,
		"a long number": `{"version":` + strings.Repeat("1", len(long)) + `}`,
		"a long path":   `{"version":1,"files":[{"path":"` + long + `"}]}`,
		"a long key":    `{"version":1,"` + long + long + `":1}`,
		"spaces":        `{"version":1,` + strings.Repeat(" ", 2*len(long)) + `"a":1}`,
		"more":          `{"version":1}{}`,
		"no object":     `[]`,
		"no list":       `{"version":1,"files":{}}`,
	} {
		target := filepath.Join(t.TempDir(), "a")
		if err := errors.Join(os.Mkdir(target, 0o700), os.WriteFile(filepath.Join(target, "_manifest.json"), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := f.export(export.Options{Target: target, Incremental: true})
		runtime.ReadMemStats(&after)
		if !errors.Is(err, outfile.ErrTarget) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.2000v", name, err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 128<<20 {
			t.Errorf("%s: %d MB", name, taken>>20)
		}
	}
}
