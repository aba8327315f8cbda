package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
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

func timeOrNil(valid bool, at model.Instant) *time.Time {
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

func (m *manifest) write(folder *owned.Dir, name string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := outfile.CreateIn(folder, name)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		return errors.Join(err, f.Abort())
	}
	_, err = f.Commit()
	return err
}

// mayName reports whether an export like that of the manifest could have made a file of that
// path, with slashes.
func (m *manifest) mayName(path string) bool {
	names := strings.Split(path, "/")
	folders, ending := names[:len(names)-1], fileName.FindStringSubmatch(names[len(names)-1])
	if ending == nil || len(folders) != len(m.Layout.PartitionBy) || !filepath.IsLocal(path) {
		return false
	}
	for i, name := range folders {
		key := folderName.FindStringSubmatch(name)
		if key == nil {
			return false
		}
		if column, err := url.PathUnescape(key[1]); err != nil || !strings.EqualFold(column, m.Layout.PartitionBy[i]) {
			return false
		}
	}
	for _, format := range []Format{Parquet, CSV, JSONLines} {
		l := Layout{Format: format, Compression: m.Layout.Compression}
		if format.String() == m.Format && l.ending() == ending[1] {
			return true
		}
	}
	return false
}

// continues reports whether the manifest is what an export could make of the one before.
func (m *manifest) continues(before *manifest) bool {
	if before.differs(m) != "" || m.Batch < before.Batch || len(m.Files) < len(before.Files) {
		return false
	}
	rows, bytes := before.Rows, before.Bytes
	for i, f := range m.Files {
		if i >= len(before.Files) {
			rows, bytes = rows+f.Rows, bytes+f.Bytes
			continue
		}
		if b := before.Files[i]; f.Path != b.Path || f.Rows != b.Rows || f.Bytes != b.Bytes || f.SHA256 != b.SHA256 {
			return false
		}
	}
	return m.Rows == rows && m.Bytes == bytes
}

// onlyExported has something against a folder that is no export, or has other files in
// it: those were lost if it were replaced.
func onlyExported(folder *owned.Dir) error {
	known := map[string]bool{}
	for _, name := range []string{manifestName, manifestName + pendingSuffix} {
		m, err := readManifest(folder, name, owned.ReadFile)
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
	return onlyKnown(folder, "", known)
}

// onlyKnown has something against what is in a folder of an export, which begins paths, and
// not known.
func onlyKnown(folder *owned.Dir, begin string, known map[string]bool) error {
	entries, err := folder.Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := begin + e.Name()
		switch {
		case begin == "" && outfile.IsHidden(path) && (e.IsDir() || e.Type().IsRegular()):
		case e.IsDir() && path == stagingName:
		case e.IsDir():
			sub, err := folder.Sub(e.Name())
			if err == nil {
				err = errors.Join(onlyKnown(sub, path+"/", known), sub.Close())
			}
			if err != nil {
				return err
			}
		case !e.Type().IsRegular() || !known[path]:
			return fmt.Errorf("%q is in it, which no export made", path)
		}
	}
	return nil
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
			return fmt.Sprintf("its %s is %s, not %s", d.what, brief(orNone(d.mine)), brief(orNone(d.its)))
		}
	}
	if !slices.Equal(m.Schema, other.Schema) {
		return fmt.Sprintf("its columns are %s, not %s", brief(m.Schema), brief(other.Schema))
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
