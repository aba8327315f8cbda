package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"datasync/internal/failpoint"
	"datasync/internal/owned"
)

// rollForward moves the files that the pending manifest adds to their places, but for those
// that are there, and gives the manifest its name. It first looks at all of them: found says
// that this process did not write them itself just now.
func (a *addition) rollForward(next manifest, found bool) error {
	staged := map[int]fs.FileInfo{}
	for n := len(a.m.Files); n < len(next.Files); n++ {
		info, err := a.look(n, &next.Files[n], found)
		if err != nil {
			return err
		}
		if info != nil {
			staged[n] = info
		}
	}
	changed := map[string]bool{}
	for n := len(a.m.Files); n < len(next.Files); n++ {
		f := &next.Files[n]
		if staged[n] == nil {
			continue
		}
		if err := a.move(n, f, staged[n]); err != nil {
			return err
		}
		failpoint.Hit("f14")
		for p := f.Path; strings.Contains(p, "/"); {
			p = p[:strings.LastIndexByte(p, '/')]
			changed[p] = true
		}
	}
	for p := range changed {
		in, _, err := descend(a.folder.Dir, p+"/", (*owned.Dir).Sub)
		if err != nil {
			return err
		}
		if err := errors.Join(in.File().Sync(), leave(a.folder.Dir, in)); err != nil {
			return err
		}
	}
	if err := a.folder.File().Sync(); err != nil {
		return err
	}
	if err := a.folder.Rename(manifestName+pendingSuffix, manifestName); err != nil {
		return err
	}
	failpoint.Hit("f14")
	return errors.Join(a.folder.File().Sync(), a.dropStaging())
}

// look returns a file of the pending manifest that is in the staging folder, and nil where it
// is in its place already.
func (a *addition) look(n int, f *file, found bool) (fs.FileInfo, error) {
	if a.staging == nil || !a.staging.Has(stagedName(n)) {
		content, err := f.open(a.folder.Dir)
		if err == nil && !f.same(content) {
			err = f.gone()
		}
		if content != nil {
			_ = content.Close()
		}
		if err != nil && !errors.Is(err, owned.ErrNot) {
			err = fmt.Errorf("export %q %w: %w; give --force to export anew", a.opts.Target, ErrHistory, err)
		}
		return nil, err
	}
	content, err := a.staging.Open(stagedName(n), owned.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	info, err := content.Stat()
	if err == nil && (info.Size() != f.Bytes || found && !f.same(content)) {
		err = strange(a.staging.Name(stagedName(n)), "it is not the file that "+manifestName+pendingSuffix+" speaks of")
	}
	if err == nil {
		err = a.isFree(f)
	}
	return info, err
}

// isFree fails where something has a file's place already, or no folder of this user leads
// there.
func (a *addition) isFree(f *file) (err error) {
	in, name, err := descend(a.folder.Dir, f.Path, (*owned.Dir).Sub)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave(a.folder.Dir, in)) }()
	if in.Has(name) {
		return taken(in.Name(name))
	}
	return nil
}

func taken(path string) error { return strange(path, "no export has put it there yet") }

// move moves a staged file, which was looked at, to its place. Nothing may be there.
func (a *addition) move(n int, f *file, looked fs.FileInfo) (err error) {
	content, err := a.staging.Open(stagedName(n), owned.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if info, err := content.Stat(); err != nil || !os.SameFile(info, looked) || info.Size() != looked.Size() || !info.ModTime().Equal(looked.ModTime()) {
		return errors.Join(err, strange(a.staging.Name(stagedName(n)), "it was replaced while it was moved"))
	}
	in, name, err := descend(a.folder.Dir, f.Path, (*owned.Dir).Make)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave(a.folder.Dir, in)) }()
	err = a.staging.Move(stagedName(n), in, name)
	if errors.Is(err, fs.ErrExist) {
		return taken(in.Name(name))
	}
	if err == nil && !in.Stands(content, name) {
		err = strange(in.Name(name), "it was replaced while it was moved")
	}
	return err
}

// check sees that the file is where it should be, and as large.
func (f *file) check(folder *owned.Dir) error {
	opened, err := f.open(folder)
	if err != nil {
		return err
	}
	return opened.Close()
}

// open opens the file in the folder of the export. It fails with owned.ErrNot where that, or a
// folder on the way to it, is a link or another user's.
func (f *file) open(folder *owned.Dir) (_ *os.File, err error) {
	in, name, err := descend(folder, f.Path, (*owned.Dir).Sub)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.gone()
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, leave(folder, in)) }()
	opened, err := in.Open(name, owned.ReadFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.gone()
	}
	if err != nil {
		return nil, err
	}
	if info, err := opened.Stat(); err != nil || info.Size() != f.Bytes {
		return nil, errors.Join(f.gone(), opened.Close())
	}
	return opened, nil
}

func (f *file) gone() error { return fmt.Errorf("its file %s is gone or has changed", f.Path) }

// same reports whether what an open file holds is what the manifest says.
func (f *file) same(content *os.File) bool {
	size, sum, err := hash(content)
	return err == nil && size == f.Bytes && sum == f.SHA256
}
