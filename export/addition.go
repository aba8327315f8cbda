package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"datasync/internal/failpoint"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// An export is added to a folder in this order, so that the next export can recover from a kill
// at any moment:
//
//  1. All new files are written to the staging folder, under names that no pattern for data
//     files matches.
//  2. The manifest of the folder as it will be gets its pending name, in one step.
//  3. The new files are moved to their places.
//  4. The pending manifest becomes the manifest, in one step.
//
// A kill before step 2 has changed nothing: the next export removes the staging folder. After
// step 2 the next export moves the files that are still staged, and finishes.

// addition is a target: a folder with an export, locked, to which an export adds files.
type addition struct {
	opts    *Options
	folder  *outfile.LockedFolder
	records records
	staging staging
	m       manifest // of the folder
	next    manifest // as it will be
	result  Result
}

// openAddition locks a folder to add to. It returns nil if there is no export to add to.
func openAddition(opts *Options) (*addition, error) {
	folder, err := outfile.OpenFolder(opts.Target, outfile.Rules{Keep: opts.Keep})
	if err != nil || folder == nil {
		return nil, err
	}
	r, found := findRecords(folder)
	if opts.Force || !found {
		return nil, folder.Close()
	}
	a := &addition{opts: opts, folder: folder}
	a.keep(r)
	return a, nil
}

// keep has the addition use these records.
func (a *addition) keep(r records) {
	a.records, a.staging = r, staging{in: r.stagingIn, named: r.staging}
}

// run finishes what a killed export has left, adds the new events, and closes the folder. It
// changes nothing before it has checked the whole folder.
func (a *addition) run(ctx context.Context) (Result, error) {
	result, err := a.recoverAndAdd(ctx)
	err = outfile.Explain(errors.Join(err, a.staging.close()), a.staging.path(), a.opts.Target)
	return result, errors.Join(err, a.folder.Close())
}

func (a *addition) recoverAndAdd(ctx context.Context) (Result, error) {
	pull, upToDate, err := a.recover(ctx)
	if err != nil {
		return Result{}, err
	}
	if upToDate {
		return Result{UpToDate: true, Pull: pull}, nil
	}
	if err := a.staging.create(); err != nil {
		return Result{}, a.unusable(err)
	}
	return exportTo(ctx, a.opts, a)
}

// unusable says that the folder cannot be the target.
func (a *addition) unusable(err error) error { return unusable(a.opts.Target, err) }

func unusable(target string, err error) error {
	if err == nil || errors.Is(err, owned.ErrUntrusted) {
		return err
	}
	return fmt.Errorf("%w %q: %w", outfile.ErrTarget, target, err)
}

// recover reads the manifest and finishes or removes what a killed export has left. It reports
// whether the folder has everything then.
func (a *addition) recover(ctx context.Context) (pull Pull, upToDate bool, err error) {
	a.m, err = readManifest(a.records.in, a.records.manifest, owned.ReadFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = unexpected(a.records.in.Name(a.records.pending), "there is no "+a.records.manifest+" that it continues")
	}
	if err != nil {
		return pull, false, a.unusable(err)
	}
	a.opts.Types = a.opts.typesOf(a.m.types(), a.m.Layout.Types != "")
	next, err := a.readPending()
	if err != nil {
		return pull, false, err
	}
	if err := a.staging.open(); err != nil {
		return pull, false, a.unusable(err)
	}
	m := &a.m
	if next != nil {
		m = next
	}
	if pull, err = a.compare(ctx, m); err != nil {
		return pull, false, err
	}
	if next == nil {
		err = a.staging.remove()
	} else {
		err = a.rollForward(next, (*manifestFile).hasContent)
		a.m = *next
	}
	if err == nil && a.m.Version > insideVersion && a.records.in == a.folder.Dir {
		err = a.publish()
	}
	return pull, a.m.isUpToDate(&pull), err
}

// publish moves the manifest of a new folder out of it, in case a kill prevented that.
func (a *addition) publish() error {
	beside := recordsBeside(a.folder.Beside(), a.folder.Base(), a.folder.Dir)
	if err := beside.publish(&a.records); err != nil {
		return a.unusable(err)
	}
	a.keep(beside)
	return nil
}

// rollForward finishes the addition that a pending manifest describes.
func (a *addition) rollForward(next *manifest, check func(*manifestFile, *os.File) bool) error {
	p := pending{target: a.opts.Target, folder: a.folder.Dir, records: &a.records, staging: &a.staging, first: len(a.m.Files), next: next}
	return p.rollForward(check)
}

// readPending reads the manifest that a killed export has left, nil if there is none. It must
// continue the folder's manifest.
func (a *addition) readPending() (*manifest, error) {
	next, err := readManifest(a.records.in, a.records.pending, owned.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, a.unusable(err)
	case !next.continues(&a.m):
		return nil, unexpected(a.records.in.Name(a.records.pending), "it does not continue "+a.records.manifest)
	}
	return &next, nil
}

// compare opens the database read-only and checks a manifest, which may be pending, against it.
func (a *addition) compare(ctx context.Context, m *manifest) (pull Pull, err error) {
	s, err := inspect.OpenSession(ctx, a.opts.Database, inspect.ReadOptions{MemoryLimit: memoryLimit(a.opts)})
	if err != nil {
		return pull, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if pull, err = readPull(ctx, s, a.opts.Database); err != nil {
		return pull, err
	}
	src, err := newSource(ctx, s, a.opts.Selection)
	if err != nil {
		return pull, err
	}
	return pull, a.check(ctx, s, &src, &pull, m)
}

// check fails if the options or the database do not fit a manifest, or if files of the folder's
// manifest are gone or have changed.
func (a *addition) check(ctx context.Context, s *inspect.Session, src *source, pull *Pull, m *manifest) error {
	wanted := newManifest(a.opts, src, pull)
	wanted.Layout.Escaping = a.m.Layout.Escaping // the folder keeps it
	if difference := m.difference(&wanted); difference != "" {
		return fmt.Errorf("%w %q: the export there has other options: %s; name another folder, or give --force to export anew", outfile.ErrTarget, a.opts.Target, difference)
	}
	err := m.checkHistory(ctx, s, src, pull)
	for i := range a.m.Files {
		if err == nil {
			err = a.m.Files[i].check(a.folder.Dir)
		}
	}
	if err != nil && !errors.Is(err, owned.ErrUntrusted) {
		err = fmt.Errorf("export %q %w: %w; give --force to export anew", a.opts.Target, ErrHistory, err)
	}
	return err
}

func (a *addition) access() (inspect.ReadOptions, string) {
	return inspect.ReadOptions{WritableFolder: a.staging.dir.Path()}, a.folder.Parent()
}

// write writes the new files to the staging folder.
func (a *addition) write(ctx context.Context, j *job) error {
	// The pull may have committed since the folder was compared.
	if err := a.check(ctx, j.db.session, &j.src, &j.pull, &a.m); err != nil {
		return err
	}
	if a.m.isUpToDate(&j.pull) {
		a.result.UpToDate = true
		return nil
	}
	a.next = a.m
	a.next.setPull(a.opts.Tool, &j.pull)
	j.src.batches(a.m.Batch, j.pull.Batch)
	if n, err := j.src.count(ctx, j.db.session); err != nil || n == 0 {
		return err
	}
	first := len(a.m.Files)
	w := folderWriter{
		job: j, dir: a.staging.dir, escaping: a.m.Layout.Escaping, batches: [2]int64{min(a.m.Batch+1, j.pull.Batch), j.pull.Batch},
		pathInDir: func(index int, _ string) string { return stagedName(first + index) }, added: a.m.Files,
	}
	files, err := w.write(ctx)
	if err != nil {
		return err
	}
	a.next.addFiles(files)
	a.result = summary(files)
	return nil
}

func (a *addition) commit() (Result, error) {
	if a.result.UpToDate {
		return a.result, a.staging.remove()
	}
	if a.result.Files > 0 {
		if err := errors.Join(a.staging.dir.SyncAll(), a.staging.in.File().Sync()); err != nil {
			return Result{}, err
		}
	}
	failpoint.Hit("f14")
	if err := a.next.write(a.records.in, a.records.pending); err != nil {
		return Result{}, err
	}
	failpoint.Hit("f14")
	return a.result, a.rollForward(&a.next, (*manifestFile).hasSize)
}

// abort removes the staged files, unless a pending manifest names them: the next export
// finishes that.
func (a *addition) abort(err error) error {
	if a.staging.dir != nil {
		err = outfile.Explain(err, a.staging.dir.Path(), a.opts.Target)
	}
	if a.records.in.Has(a.records.pending) {
		return err
	}
	return errors.Join(err, a.staging.remove())
}
