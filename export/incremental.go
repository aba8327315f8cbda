package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/failpoint"
	"datasync/internal/outfile"
	"datasync/internal/store"
)

// An export is added to a folder in this order, so that it can be taken up again wherever
// it was killed:
//
//  1. All new files are written to the staging folder, under names that no pattern for
//     data matches.
//  2. The manifest of the folder as it will be takes its pending name, in one step.
//  3. The new files are moved to their places.
//  4. The pending manifest takes the manifest's place, in one step.
//
// Before step 2 nothing has happened: the next export throws the staging folder away.
// After it everything has, but for moves that anybody can finish.
const (
	pendingSuffix = ".pending"
	stagingName   = ".datasync-staging"
)

// stagedName is where the file of that number in the pending manifest is until it is
// moved.
func stagedName(folder string, n int) string {
	return filepath.Join(folder, stagingName, fmt.Sprintf("%06d.tmp", n))
}

// incremental adds to a folder what came since the last export there.
func incremental(ctx context.Context, opts *Options) (_ Result, err error) {
	path, err := outfile.CheckFolder(opts.Target, outfile.Rules{Force: true, Keep: opts.Keep}, func(string) error { return nil })
	if err != nil {
		return Result{}, err
	}
	_, err1 := os.Lstat(filepath.Join(path, manifestName))
	_, err2 := os.Lstat(filepath.Join(path, manifestName+pendingSuffix))
	if opts.Force || err1 != nil && err2 != nil {
		return toFolder(ctx, opts)
	}
	lock, err := outfile.LockFolder(path)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	outfile.Sweep(filepath.Dir(path))
	if err := recoverFolder(path); err != nil {
		return Result{}, err
	}
	m, err := readManifest(filepath.Join(path, manifestName))
	if err != nil {
		return Result{}, fmt.Errorf("%w %q: %w", outfile.ErrTarget, opts.Target, err)
	}
	result, err := addTo(ctx, opts, path, m)
	if err != nil {
		if _, errPending := os.Lstat(filepath.Join(path, manifestName+pendingSuffix)); errors.Is(errPending, fs.ErrNotExist) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(path, stagingName)))
		}
		err = outfile.Explain(err, filepath.Join(path, stagingName), opts.Target)
	}
	return result, err
}

// addTo adds what came since the manifest to the folder, which is locked.
func addTo(ctx context.Context, opts *Options, path string, m manifest) (result Result, err error) {
	staging := filepath.Join(path, stagingName)
	d, err := open(ctx, opts, store.ReadOptions{WritableFolder: staging}, filepath.Dir(path))
	if err != nil {
		return Result{}, err
	}
	next, files, err := stage(ctx, opts, &d, path, m, &result)
	if err = errors.Join(err, d.close()); err != nil || result.UpToDate {
		return result, err
	}
	result.Files = int64(len(files))
	for _, f := range files {
		result.Rows += f.Rows
		result.Bytes += f.Bytes
	}
	if len(files) > 0 {
		if err := outfile.SyncAll(staging); err != nil {
			return result, err
		}
	}
	failpoint.Hit("f14")
	if err := next.write(filepath.Join(path, manifestName+pendingSuffix)); err != nil {
		return result, err
	}
	failpoint.Hit("f14")
	return result, rollForward(path, next)
}

// stage writes the new files to the staging folder and returns them with the manifest as
// it will be.
func stage(ctx context.Context, opts *Options, d *database, path string, m manifest, result *Result) (next manifest, files []file, err error) {
	pull, err := readPull(ctx, d.Session, opts.Database)
	if err != nil {
		return m, nil, err
	}
	result.Pull = pull
	src, err := newSource(ctx, d.Session, opts.Selection, true)
	if err != nil {
		return m, nil, err
	}
	wanted := newManifest(opts, &src, &pull)
	if what := m.differs(&wanted); what != "" {
		return m, nil, fmt.Errorf("%w %q: the export there is another: %s; name another folder, or give --force to export anew", outfile.ErrTarget, opts.Target, what)
	}
	if err := m.checkHistory(ctx, d.Session, &src, &pull, path); err != nil {
		return m, nil, fmt.Errorf("export %q %w: %w; give --force to export anew", opts.Target, ErrHistory, err)
	}
	if pull.Batch == m.Batch && pull.Complete == m.Complete {
		result.UpToDate = true
		return m, nil, nil
	}
	next = m
	next.take(opts, &pull)
	src.where = allOf(src.where, fmt.Sprintf("e.batch > %d AND e.batch <= %d", m.Batch, pull.Batch))
	any, err := ask(ctx, d.Session, src.rows("count(*)"), 0, 1)
	if err != nil || any[0].numbers[0] == 0 {
		return next, nil, err
	}
	w := newFolderWriter(opts, d, &src, m.Batch+1, pull.Batch)
	w.place = func(n int, _ string) string { return stagedName(path, len(m.Files)+n) }
	if files, err = w.write(ctx); err == nil {
		next.add(files)
	}
	return next, files, err
}

// checkHistory sees that what the manifest speaks of is still so: in the database, that
// may be another or have lost rows, and in the folder.
func (m *manifest) checkHistory(ctx context.Context, s *store.Session, src *source, pull *Pull, folder string) error {
	run, err := runOf(ctx, s, m.Batch)
	if err != nil {
		return err
	}
	if pull.Batch < m.Batch || run != m.Run {
		return fmt.Errorf("the database is not the one that it was made from: batch %d is not by run %s", m.Batch, m.Run)
	}
	before, err := ask(ctx, s, src.rows("count(*)", fmt.Sprintf("e.batch <= %d", m.Batch)), 0, 1)
	if err != nil {
		return err
	}
	if n := before[0].numbers[0]; n != m.Rows {
		return fmt.Errorf("of its %d rows the database has %d, as second copies of events were deleted since, or it is another database", m.Rows, n)
	}
	for _, f := range m.Files {
		if err := f.check(folder); err != nil {
			return err
		}
	}
	return nil
}

// check sees that the file is where it should be.
func (f *file) check(folder string) error {
	info, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(f.Path)))
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.Bytes {
		return fmt.Errorf("its file %s is gone or has changed", f.Path)
	}
	return nil
}

// recoverFolder finishes what an export that was killed had begun, or takes it back.
func recoverFolder(folder string) error {
	next, err := readManifest(filepath.Join(folder, manifestName+pendingSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(filepath.Join(folder, stagingName))
	}
	if err != nil {
		return fmt.Errorf("%w %q: %w", outfile.ErrTarget, folder, err)
	}
	return rollForward(folder, next)
}

// rollForward moves the files of the pending manifest to their places, but for those that
// are there, and gives the manifest its name.
func rollForward(folder string, next manifest) error {
	changed := map[string]bool{}
	for n, f := range next.Files {
		staged, path := stagedName(folder, n), filepath.Join(folder, filepath.FromSlash(f.Path))
		if _, err := os.Lstat(staged); errors.Is(err, fs.ErrNotExist) {
			if err := f.check(folder); err != nil {
				return fmt.Errorf("export %q %w: %w; give --force to export anew", folder, ErrHistory, err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.Rename(staged, path); err != nil {
			return err
		}
		failpoint.Hit("f14")
		for p := filepath.Dir(path); strings.HasPrefix(p, folder); p = filepath.Dir(p) {
			changed[p] = true
		}
	}
	for p := range changed {
		if err := outfile.SyncFolder(p); err != nil {
			return err
		}
	}
	if err := os.Rename(filepath.Join(folder, manifestName+pendingSuffix), filepath.Join(folder, manifestName)); err != nil {
		return err
	}
	failpoint.Hit("f14")
	return errors.Join(outfile.SyncFolder(folder), os.RemoveAll(filepath.Join(folder, stagingName)))
}
