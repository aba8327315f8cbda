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

// pending is an addition whose pending manifest is written. Each of its files is in the staging
// folder or has been moved to its place.
type pending struct {
	target  string // as the user named it
	folder  *owned.Dir
	records *records
	staging *staging
	first   int // the index of the first file that is added
	next    *manifest
}

// rollForward moves the staged files to their places and makes the pending manifest the
// folder's. It changes nothing unless every file passes the check: hasContent after a kill,
// hasSize if this process has just written the files.
func (p *pending) rollForward(check func(*manifestFile, *os.File) bool) error {
	staged, err := p.checkAll(check)
	if err != nil {
		return err
	}
	if err := p.moveAll(staged); err != nil {
		return err
	}
	if err := p.records.in.Rename(p.records.pending, p.records.manifest); err != nil {
		return err
	}
	failpoint.Hit("f14")
	return errors.Join(p.records.in.File().Sync(), p.staging.remove())
}

// checkAll checks all files and returns those that are staged, by index.
func (p *pending) checkAll(check func(*manifestFile, *os.File) bool) (map[int]fs.FileInfo, error) {
	staged := map[int]fs.FileInfo{}
	for n := p.first; n < len(p.next.Files); n++ {
		if !p.staging.has(n) {
			if err := p.checkMoved(&p.next.Files[n]); err != nil {
				return nil, err
			}
			continue
		}
		info, err := p.checkStaged(n, check)
		if err != nil {
			return nil, err
		}
		staged[n] = info
	}
	return staged, nil
}

// checkMoved fails unless a file is in its place.
func (p *pending) checkMoved(f *manifestFile) error {
	content, err := f.open(p.folder)
	if err == nil && !f.hasContent(content) {
		err = f.changed()
	}
	if content != nil {
		_ = content.Close()
	}
	if err != nil && !errors.Is(err, owned.ErrUntrusted) {
		err = fmt.Errorf("export %q %w: %w; give --force to export anew", p.target, ErrHistory, err)
	}
	return err
}

// checkStaged fails unless a staged file passes the check and its place is free.
func (p *pending) checkStaged(n int, check func(*manifestFile, *os.File) bool) (fs.FileInfo, error) {
	f := &p.next.Files[n]
	content, err := p.staging.dir.Open(stagedName(n), owned.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	info, err := content.Stat()
	if err == nil && !check(f, content) {
		err = unexpected(p.staging.name(n), "it is not the file that "+p.records.pending+" describes")
	}
	if err == nil {
		err = p.checkFree(f)
	}
	return info, err
}

// checkFree fails if something has a file's name already, or if a folder on the way to it is
// not this user's.
func (p *pending) checkFree(f *manifestFile) (err error) {
	folder := p.folder
	in, name, err := descend(folder, f.Path, (*owned.Dir).Sub)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave(folder, in)) }()
	if in.Has(name) {
		return taken(in.Name(name))
	}
	return nil
}

func taken(path string) error { return unexpected(path, "no export has put it there yet") }

// moveAll moves the staged files and syncs the folders that have changed.
func (p *pending) moveAll(staged map[int]fs.FileInfo) error {
	changed := map[string]bool{}
	for n := p.first; n < len(p.next.Files); n++ {
		if staged[n] == nil {
			continue
		}
		path := p.next.Files[n].Path
		if err := p.move(n, path, staged[n]); err != nil {
			return err
		}
		failpoint.Hit("f14")
		for strings.Contains(path, "/") {
			path = path[:strings.LastIndexByte(path, '/')]
			changed[path] = true
		}
	}
	folder := p.folder
	for path := range changed {
		in, _, err := descend(folder, path+"/", (*owned.Dir).Sub)
		if err != nil {
			return err
		}
		if err := errors.Join(in.File().Sync(), leave(folder, in)); err != nil {
			return err
		}
	}
	return folder.File().Sync()
}

// move moves a staged file to its place. It fails unless the file is the one that was checked,
// and nothing has its name.
func (p *pending) move(n int, path string, checked fs.FileInfo) (err error) {
	content, err := p.staging.dir.Open(stagedName(n), owned.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if info, err := content.Stat(); err != nil || !os.SameFile(info, checked) || info.Size() != checked.Size() || !info.ModTime().Equal(checked.ModTime()) {
		return errors.Join(err, unexpected(p.staging.name(n), "it was replaced while it was moved"))
	}
	folder := p.folder
	in, name, err := descend(folder, path, (*owned.Dir).Make)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave(folder, in)) }()
	err = p.staging.dir.Move(stagedName(n), in, name)
	if errors.Is(err, fs.ErrExist) {
		return taken(in.Name(name))
	}
	if err == nil && !in.Holds(content, name) {
		err = unexpected(in.Name(name), "it was replaced while it was moved")
	}
	return err
}
