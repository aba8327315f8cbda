package export

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"datasync/internal/failpoint"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// folderTarget is a new folder, which may replace an older export.
type folderTarget struct {
	folder *outfile.Folder
	path   string
	m      manifest
}

func newFolderTarget(opts *Options) (*folderTarget, error) {
	t := &folderTarget{path: opts.Target}
	replaceable := func(old *owned.Dir) error { return holdsOnlyExport(old, opts.Target) }
	var err error
	if t.folder, err = outfile.CreateFolder(opts.Target, outfile.Rules{Force: opts.Force, Keep: opts.Keep}, replaceable); err != nil {
		return nil, err
	}
	parent, name := t.folder.Beside()
	beside := recordsBeside(parent, name, nil)
	if err := beside.checkFree(); err != nil {
		return nil, errors.Join(unusable(opts.Target, err), t.folder.Abort())
	}
	t.folder.WhenNamed(func() error {
		failpoint.Hit("f14")
		inside := recordsInside(t.folder.Dir())
		return beside.publish(&inside)
	})
	return t, nil
}

func (t *folderTarget) access() (inspect.ReadOptions, string) {
	return inspect.ReadOptions{WritableFolder: t.folder.Path()}, filepath.Dir(filepath.Clean(t.path)) // not the folder itself, which does not exist yet
}

func (t *folderTarget) write(ctx context.Context, j *job) error {
	if err := j.src.materialize(ctx, j.db.session); err != nil {
		return err
	}
	last := j.pull.Batch
	w := folderWriter{job: j, dir: t.folder.Dir(), escaping: escapeHive, batches: [2]int64{min(1, last), last}, pathInDir: func(_ int, path string) string { return path }}
	files, err := w.write(ctx)
	if err != nil {
		return err
	}
	t.m = newManifest(j.opts, &j.src, &j.pull)
	t.m.addFiles(files)
	return nil
}

// commit writes the manifest last: a folder with a manifest is whole. Then the manifest moves out.
func (t *folderTarget) commit() (Result, error) {
	if err := t.m.write(t.folder.Dir(), insideName); err != nil {
		return Result{}, err
	}
	return summary(t.m.Files), t.folder.Commit()
}

func (t *folderTarget) abort(err error) error {
	return errors.Join(t.folder.Explain(err), t.folder.Abort())
}

// summary describes the files that an export wrote to a folder.
func summary(files []manifestFile) (r Result) {
	for _, f := range files {
		r.Files, r.Rows, r.Bytes, r.Longest = r.Files+1, r.Rows+f.Rows, r.Bytes+f.Bytes, max(r.Longest, f.Rows)
		for _, name := range strings.Split(f.Path, "/") {
			if column, isEmpty := strings.CutSuffix(name, "="); isEmpty {
				r.Empty = column
			}
		}
	}
	return r
}
