package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"datasync/internal/failpoint"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/internal/owned"
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

// stagedName is what the file of that number in the pending manifest is called until it is
// moved.
func stagedName(n int) string { return fmt.Sprintf("%06d.tmp", n) }

// incremental adds to a folder what came since the last export there.
func incremental(ctx context.Context, opts *Options) (_ Result, err error) {
	folder, err := outfile.OpenFolder(opts.Target, outfile.Rules{Keep: opts.Keep})
	if err != nil {
		return Result{}, err
	}
	if folder == nil || opts.Force || !folder.Has(manifestName) && !folder.Has(manifestName+pendingSuffix) {
		if folder != nil {
			if err := folder.Close(); err != nil {
				return Result{}, err
			}
		}
		return toFolder(ctx, opts)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	a := addition{opts: opts, folder: folder}
	result, err := a.run(ctx)
	if a.staging != nil {
		err = errors.Join(err, a.staging.Close())
	}
	return result, outfile.Explain(err, folder.Name(stagingName), opts.Target)
}

// addition is an export that is added to a folder, which is locked.
type addition struct {
	opts    *Options
	folder  *outfile.Standing
	staging *owned.Dir // nil until it is needed
	m       manifest
}

// unusable says why the folder is no target.
func (a *addition) unusable(err error) error {
	if err == nil || errors.Is(err, owned.ErrNot) {
		return err
	}
	return fmt.Errorf("%w %q: %w", outfile.ErrTarget, a.opts.Target, err)
}

// run looks at all before it changes anything: the manifest, what a killed export has left,
// and whether both are of this database and of what is asked for.
func (a *addition) run(ctx context.Context) (result Result, err error) {
	if a.m, err = readManifest(a.folder.Dir, manifestName, owned.ReadFile); errors.Is(err, fs.ErrNotExist) {
		err = strange(a.folder.Name(manifestName+pendingSuffix), "there is no "+manifestName+" that it continues")
	}
	if err != nil {
		return result, a.unusable(err)
	}
	next, err := a.pending()
	if err != nil {
		return result, err
	}
	if err := a.openStaging(); err != nil {
		return result, err
	}
	upToDate, err := a.compare(ctx, next, &result)
	if err != nil {
		return result, err
	}
	if next != nil {
		if err := a.rollForward(*next, true); err != nil {
			return result, err
		}
		a.m = *next
	} else if err := a.dropStaging(); err != nil {
		return result, err
	}
	if upToDate {
		result.UpToDate = true
		return result, nil
	}
	result, err = a.add(ctx)
	if err != nil && !a.folder.Has(manifestName+pendingSuffix) {
		err = errors.Join(err, a.dropStaging())
	}
	return result, err
}

// pending reads the manifest that a killed export has left, nil where there is none. It must
// go on where the folder's manifest ends.
func (a *addition) pending() (*manifest, error) {
	next, err := readManifest(a.folder.Dir, manifestName+pendingSuffix, owned.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, a.unusable(err)
	case !next.continues(&a.m):
		return nil, strange(a.folder.Name(manifestName+pendingSuffix), "it does not continue "+manifestName)
	}
	return &next, nil
}

// strange is the error of something in a folder that no export would have left there.
func strange(path, why string) error {
	return &owned.Error{Path: path, Why: why + "; look who wrote to the folder, or give --force to export anew"}
}

// openStaging opens the staging folder, if there is one.
func (a *addition) openStaging() (err error) {
	a.staging, err = a.folder.Sub(stagingName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return a.unusable(err)
}

// dropStaging removes the staging folder.
func (a *addition) dropStaging() error {
	if a.staging == nil {
		return nil
	}
	err := errors.Join(a.folder.RemoveAll(a.staging, stagingName), a.staging.Close())
	a.staging = nil
	return err
}

// compare fails where the folder and what is pending are not of this database, or not of what
// is asked for. It reports whether nothing is to be added.
func (a *addition) compare(ctx context.Context, next *manifest, result *Result) (upToDate bool, err error) {
	s, err := inspect.OpenSession(ctx, a.opts.Database, inspect.ReadOptions{MemoryLimit: fmt.Sprint(a.opts.MemoryLimit, "B")})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if result.Pull, err = readPull(ctx, s, a.opts.Database); err != nil {
		return false, err
	}
	src, err := newSource(ctx, s, a.opts.Selection, true)
	if err != nil {
		return false, err
	}
	m, moved := &a.m, (*manifest)(nil)
	if next != nil {
		m, moved = next, &a.m
	}
	err = a.fits(ctx, s, &src, &result.Pull, m, moved)
	return result.Pull.Batch == m.Batch && result.Pull.Complete == m.Complete, err
}

// fits fails where a manifest is not of this database, or not of what is asked for. Where it
// is pending, before is the one that it continues, and files beyond that may not have been
// moved yet.
func (a *addition) fits(ctx context.Context, s *inspect.Session, src *source, pull *Pull, m, before *manifest) error {
	wanted := newManifest(a.opts, src, pull)
	if what := m.differs(&wanted); what != "" {
		return fmt.Errorf("%w %q: the export there is another: %s; name another folder, or give --force to export anew", outfile.ErrTarget, a.opts.Target, what)
	}
	err := m.checkHistory(ctx, s, src, pull)
	for n, f := range m.Files {
		if err == nil && (before == nil || n < len(before.Files)) {
			err = f.check(a.folder.Dir)
		}
	}
	if errors.Is(err, owned.ErrNot) {
		return err
	}
	if err != nil {
		return fmt.Errorf("export %q %w: %w; give --force to export anew", a.opts.Target, ErrHistory, err)
	}
	return nil
}

// add adds what came since the manifest.
func (a *addition) add(ctx context.Context) (result Result, err error) {
	if a.staging, err = a.folder.New(stagingName); err != nil {
		return result, a.unusable(err)
	}
	path := a.staging.Path()
	defer func() { err = outfile.Explain(err, path, a.opts.Target) }()
	d, err := open(ctx, a.opts, inspect.ReadOptions{WritableFolder: path}, a.folder.Parent())
	if err != nil {
		return result, err
	}
	next, files, err := a.stage(ctx, &d, &result)
	if err = errors.Join(err, d.close()); err != nil || result.UpToDate {
		return result, errors.Join(err, a.dropStaging())
	}
	result.Files = int64(len(files))
	for _, f := range files {
		result.Rows += f.Rows
		result.Bytes += f.Bytes
	}
	if len(files) > 0 {
		if err := errors.Join(a.staging.SyncAll(), a.folder.File().Sync()); err != nil {
			return result, err
		}
	}
	failpoint.Hit("f14")
	if err := next.write(a.folder.Dir, manifestName+pendingSuffix); err != nil {
		return result, err
	}
	failpoint.Hit("f14")
	return result, a.rollForward(next, false)
}

// stage writes the new files to the staging folder and returns them with the manifest as
// it will be.
func (a *addition) stage(ctx context.Context, d *database, result *Result) (next manifest, files []file, err error) {
	pull, err := readPull(ctx, d.Session, a.opts.Database)
	if err != nil {
		return next, nil, err
	}
	result.Pull = pull
	src, err := newSource(ctx, d.Session, a.opts.Selection, true)
	if err != nil {
		return next, nil, err
	}
	// It may have changed since it was compared.
	if err := a.fits(ctx, d.Session, &src, &pull, &a.m, nil); err != nil {
		return next, nil, err
	}
	if pull.Batch == a.m.Batch && pull.Complete == a.m.Complete {
		result.UpToDate = true
		return next, nil, nil
	}
	next = a.m
	next.take(a.opts, &pull)
	src.where = allOf(src.where, fmt.Sprintf("e.batch > %d AND e.batch <= %d", a.m.Batch, pull.Batch))
	any, err := ask(ctx, d.Session, src.rows("count(*)"), 0, 1)
	if err != nil || any[0].numbers[0] == 0 {
		return next, nil, err
	}
	w := newFolderWriter(a.opts, d, &src, a.m.Batch+1, pull.Batch)
	w.dir, w.place = a.staging, func(n int, _ string) string { return stagedName(len(a.m.Files) + n) }
	if files, err = w.write(ctx); err == nil {
		next.add(files)
	}
	return next, files, err
}

// checkHistory sees that what the manifest says of the database is still so: it may be another
// one, or have lost rows.
func (m *manifest) checkHistory(ctx context.Context, s *inspect.Session, src *source, pull *Pull) error {
	run, err := runOf(ctx, s, m.Batch)
	if err != nil {
		return err
	}
	if pull.Batch < m.Batch || run != m.Run {
		return fmt.Errorf("the database is not the one that it was made from: batch %d is not by run %s", m.Batch, brief(m.Run))
	}
	before, err := ask(ctx, s, src.rows("count(*)", fmt.Sprintf("e.batch <= %d", m.Batch)), 0, 1)
	if err != nil {
		return err
	}
	if n := before[0].numbers[0]; n != m.Rows {
		return fmt.Errorf("of its %d rows the database has %d, as second copies of events were deleted since, or it is another database", m.Rows, n)
	}
	return nil
}
