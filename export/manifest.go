package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"datasync/internal/outfile"
	"datasync/internal/store"
)

const (
	// manifestName is where a folder's manifest is. What begins with _ is no data to the
	// engines that read such folders.
	manifestName    = "_manifest.json"
	manifestVersion = 1
	maxManifest     = 256 << 20 // bytes
)

// manifest says what stands in a folder. docs/export.md explains its fields.
type manifest struct {
	Version   int       `json:"version"`
	Tool      string    `json:"tool"`
	Origin    string    `json:"origin"`
	Format    string    `json:"format"`
	Layout    layout    `json:"layout"`
	Selection selection `json:"selection"`
	Schema    []column  `json:"schema"`
	Rows      int64     `json:"rows"`
	Bytes     int64     `json:"bytes"`
	Batch     int64     `json:"batch"`
	// Run is the run that committed Batch, by which the database is known again.
	Run      string `json:"run,omitempty"`
	Complete bool   `json:"complete"`
	Missing  *int64 `json:"missing"`
	DataAsOf asOf   `json:"data_as_of"`
	Files    []file `json:"files"`
}

type layout struct {
	PartitionBy []string `json:"partition_by,omitempty"`
	FileSize    int64    `json:"file_size,omitempty"`
	Compression string   `json:"compression"`
	RowGroup    int64    `json:"row_group_size,omitempty"`
	UUIDText    bool     `json:"uuid_as_string,omitempty"`
	Safe        bool     `json:"csv_safe,omitempty"`
}

type selection struct {
	Query string     `json:"query,omitempty"`
	Where string     `json:"where,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type asOf struct {
	PullBegan         *time.Time `json:"pull_began"`
	PullEnded         *time.Time `json:"pull_ended"`
	CompletePullBegan *time.Time `json:"complete_pull_began"`
}

// file is a file of a manifest.
type file struct {
	Path   string `json:"path"` // with slashes
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Batches are the first and the last commit of which there may be events in the file.
	Batches *[2]int64 `json:"batches,omitempty"`
}

// newManifest is the manifest of an export of which no file is written yet.
func newManifest(opts *Options, src *source, pull *Pull) manifest {
	m := manifest{
		Version: manifestVersion, Origin: pull.Origin, Format: opts.Format.String(), Files: []file{},
		Layout: layout{PartitionBy: opts.PartitionBy, FileSize: opts.FileSize, Compression: opts.Compression, UUIDText: opts.UUIDText, Safe: opts.Safe},
		Selection: selection{Query: opts.Query, Where: opts.Where,
			Since: timeOrNil(opts.Since.Valid, opts.Since.V), Until: timeOrNil(opts.Until.Valid, opts.Until.V)},
	}
	if opts.Format == Parquet {
		m.Layout.RowGroup = opts.RowGroup
	}
	for _, c := range opts.written(src.columns) {
		m.Schema = append(m.Schema, column{opts.header(c.Name), c.Type})
	}
	m.take(opts, pull)
	return m
}

func timeOrNil(valid bool, at store.Instant) *time.Time {
	if !valid {
		return nil
	}
	t := at.Time()
	return &t
}

// take notes how far the pull is.
func (m *manifest) take(opts *Options, pull *Pull) {
	m.Tool, m.Batch, m.Run = opts.Tool, pull.Batch, pull.Run
	m.Complete, m.Missing = pull.Complete, pull.missing()
	m.DataAsOf.PullBegan, m.DataAsOf.PullEnded, m.DataAsOf.CompletePullBegan = pull.asOf()
}

// add adds files.
func (m *manifest) add(files []file) {
	for _, f := range files {
		m.Files = append(m.Files, f)
		m.Rows += f.Rows
		m.Bytes += f.Bytes
	}
}

// result is what was written where all files of the manifest are new.
func (m *manifest) result(pull Pull) Result {
	return Result{Rows: m.Rows, Bytes: m.Bytes, Files: int64(len(m.Files)), Pull: pull}
}

func (m *manifest) write(path string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := outfile.Create(path, outfile.Rules{Force: true})
	if err != nil {
		return err
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		return errors.Join(err, f.Abort())
	}
	_, err = f.Commit()
	return err
}

// readManifest reads a manifest. Where there is none it fails with fs.ErrNotExist.
func readManifest(path string) (m manifest, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return m, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxManifest {
		return m, fmt.Errorf("%s is no manifest of an export", filepath.Base(path))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%s is no manifest of an export: %w", filepath.Base(path), err)
	}
	switch {
	case m.Version < 1:
		return m, fmt.Errorf("%s is no manifest of an export", filepath.Base(path))
	case m.Version > manifestVersion:
		return m, fmt.Errorf("%s is of version %d, and this program knows up to %d: update datasync", filepath.Base(path), m.Version, manifestVersion)
	}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return m, fmt.Errorf("%s names the file %q, which is not in its folder", filepath.Base(path), f.Path)
		}
	}
	return m, nil
}

// onlyExported has something against a folder that is no export, or has other files in
// it: those were lost if it were replaced.
func onlyExported(folder string) error {
	known := map[string]bool{}
	for _, name := range []string{manifestName, manifestName + pendingSuffix} {
		m, err := readManifest(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		known[name] = true
		for _, f := range m.Files {
			known[f.Path] = true
		}
	}
	if len(known) == 0 {
		return fmt.Errorf("there is no %s in it, so no export made it", manifestName)
	}
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		switch {
		case err != nil:
			return err
		case e.IsDir() && (relative == stagingName || outfile.IsHidden(relative)):
			return filepath.SkipDir
		case e.IsDir() || known[filepath.ToSlash(relative)] || outfile.IsHidden(relative):
			return nil
		}
		return fmt.Errorf("%q is in it, which no export made", relative)
	})
}

// differs says what keeps files of an export like other from standing beside those of m;
// empty where nothing does.
func (m *manifest) differs(other *manifest) string {
	for _, d := range []struct {
		what      string
		mine, its any
	}{
		{"format", m.Format, other.Format},
		{"partitioning", strings.Join(m.Layout.PartitionBy, ","), strings.Join(other.Layout.PartitionBy, ",")},
		{"file size", m.Layout.FileSize, other.Layout.FileSize},
		{"compression", m.Layout.Compression, other.Layout.Compression},
		{"row group size", m.Layout.RowGroup, other.Layout.RowGroup},
		{"form of UUIDs", uuidForm(m), uuidForm(other)},
		{"safety from formulas", m.Layout.Safe, other.Layout.Safe},
		{"query", m.Selection.Query, other.Selection.Query},
		{"condition", m.Selection.Where, other.Selection.Where},
		{"beginning", timeText(m.Selection.Since), timeText(other.Selection.Since)},
		{"end", timeText(m.Selection.Until), timeText(other.Selection.Until)},
		{"origin", m.Origin, other.Origin},
	} {
		if d.mine != d.its {
			return fmt.Sprintf("its %s is %v, not %v", d.what, orNone(d.mine), orNone(d.its))
		}
	}
	if !slices.Equal(m.Schema, other.Schema) {
		return fmt.Sprintf("its columns are %v, not %v", m.Schema, other.Schema)
	}
	return ""
}

func uuidForm(m *manifest) string {
	if m.Layout.UUIDText {
		return "string"
	}
	return "logical type"
}

func timeText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func orNone(v any) any {
	if v == "" || v == int64(0) {
		return "none"
	}
	return v
}
