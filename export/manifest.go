package export

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// manifestVersion is that of new folders. Folders of version 1 have their records inside.
const (
	manifestVersion = 2
	insideVersion   = 1
)

// manifest describes the files of a folder. docs/export.md explains its fields.
type manifest struct {
	Version   int            `json:"version"`
	Tool      string         `json:"tool"`
	Origin    string         `json:"origin"`
	Format    string         `json:"format"`
	Layout    layout         `json:"layout"`
	Selection selection      `json:"selection"`
	Schema    []column       `json:"schema"`
	Rows      int64          `json:"rows"`
	Bytes     int64          `json:"bytes"`
	Batch     int64          `json:"batch"`
	Run       string         `json:"run,omitempty"` // committed Batch: two databases share no run
	Complete  bool           `json:"complete"`
	Missing   *int64         `json:"missing"`
	DataAsOf  asOf           `json:"data_as_of"`
	Files     []manifestFile `json:"files"`
}

type layout struct {
	PartitionBy []string `json:"partition_by,omitempty"`
	Escaping    escaping `json:"escaping,omitempty"` // of folders' names
	FileSize    int64    `json:"file_size,omitempty"`
	Compression string   `json:"compression"`
	RowGroup    int64    `json:"row_group_size,omitempty"`
	Types       Types    `json:"types,omitempty"`
	UUIDText    bool     `json:"uuid_as_string,omitempty"` // of earlier versions, which have no Types
	Safe        bool     `json:"csv_safe,omitempty"`
	Excel       bool     `json:"excel,omitempty"`
	Delimiter   string   `json:"delimiter,omitempty"` // other than a comma
	Timezone    string   `json:"timezone,omitempty"`  // other than UTC
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

// manifestFile describes one file.
type manifestFile struct {
	Path   string `json:"path"` // in the folder, with slashes
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Batches are the first and the last commit of which events may be in the file. The files
	// of a query have none.
	Batches *[2]int64 `json:"batches,omitempty"`
}

// newManifest returns the manifest of an export without its files.
func newManifest(opts *Options, src *source, pull *Pull) manifest {
	m := manifest{
		Version: manifestVersion, Origin: pull.Origin, Format: opts.Format.String(), Files: []manifestFile{},
		Layout: layout{PartitionBy: opts.PartitionBy, FileSize: opts.FileSize, Compression: opts.Compression,
			Safe: opts.Safe, Excel: opts.Excel, Timezone: opts.Timezone},
		Selection: selection{Query: opts.Query, Where: opts.Where,
			Since: timeOrNil(opts.Since), Until: timeOrNil(opts.Until)},
	}
	if d := opts.delimiter(); d != ',' {
		m.Layout.Delimiter = string(d)
	}
	if len(opts.PartitionBy) > 0 {
		m.Layout.Escaping = escapeHive
	}
	if opts.Format == Parquet {
		m.Layout.RowGroup, m.Layout.Types = opts.RowGroup, opts.Types
	}
	for _, c := range opts.written(src.columns) {
		m.Schema = append(m.Schema, column{opts.header(c.Name), c.Type})
	}
	m.setPull(opts.Tool, pull)
	return m
}

func timeOrNil(at sql.Null[model.Instant]) *time.Time {
	if !at.Valid {
		return nil
	}
	t := at.V.Time()
	return &t
}

// setPull records the state of the pull, and the tool that read it.
func (m *manifest) setPull(tool string, pull *Pull) {
	m.Tool, m.Batch, m.Run = tool, pull.Batch, pull.Run
	m.Complete, m.Missing = pull.Complete, pull.missing()
	m.DataAsOf.PullBegan, m.DataAsOf.PullEnded, m.DataAsOf.CompletePullBegan = pull.asOf()
}

// addFiles adds files and their totals.
func (m *manifest) addFiles(files []manifestFile) {
	for _, f := range files {
		m.Files = append(m.Files, f)
		m.Rows += f.Rows
		m.Bytes += f.Bytes
	}
}

// write writes the manifest to a folder under that name, in one step.
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

// types returns the set of types of the manifest's files, which is empty unless they are Parquet.
// Manifests of earlier versions do not record it.
func (m *manifest) types() Types {
	switch {
	case m.Format != Parquet.String():
		return ""
	case m.Layout.Types != "":
		return m.Layout.Types
	case m.Layout.UUIDText:
		return logicalWithText
	}
	return Logical
}
