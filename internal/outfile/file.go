package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/failpoint"
)

// File is a file that gets its name when it is whole. Nobody but its owner may read it.
type File struct {
	target string // as it was named
	path   string // its absolute path
	rules  Rules
	f      *os.File
	// hidden is the name that it has until then; nil where it has none.
	hidden *hidden
}

// Create begins a file. The caller ends it with Commit or Abort. It fails with
// ErrTarget.
func Create(target string, rules Rules) (*File, error) { return create(target, rules, nameless) }

// create makes the file by nameless, or with a hidden name where that fails.
func create(target string, rules Rules, nameless func(folder string) (*os.File, error)) (*File, error) {
	path, err := Check(target, rules)
	if err != nil {
		return nil, err
	}
	folder := filepath.Dir(path)
	Sweep(folder)
	file := &File{target: target, path: path, rules: rules}
	if file.f, err = nameless(folder); err == nil {
		return file, nil
	}
	if file.hidden, err = hide(folder, newFile); err != nil {
		return nil, refuse(target, "%w", withoutPath(err))
	}
	file.f = file.hidden.f
	return file, nil
}

// Write writes on.
func (file *File) Write(b []byte) (int, error) {
	n, err := file.f.Write(b)
	if err != nil {
		err = file.Explain(err)
	}
	return n, err
}

// Path is a name by which others in this process can write the file, instead of Write.
func (file *File) Path() string {
	if file.hidden != nil {
		return file.hidden.path
	}
	return DescriptorPath(file.f)
}

// Explain names the target in an error that came of writing to Path, and says what to
// do about a full disk.
func (file *File) Explain(err error) error { return Explain(err, file.Path(), file.target) }

// Commit makes sure that the file has reached the disk and gives it its name. It returns
// its size in bytes. After an error the target is as it was. It fails with ErrTarget.
func (file *File) Commit() (size int64, err error) {
	err = file.f.Sync()
	if info, errStat := file.f.Stat(); errStat == nil {
		size = info.Size()
	}
	if err != nil {
		return 0, errors.Join(file.Explain(err), file.Abort())
	}
	failpoint.Hit("f14")
	if _, err := Check(file.target, file.rules); err != nil {
		return 0, errors.Join(err, file.Abort())
	}
	if err := file.name(); err != nil {
		return 0, errors.Join(refuse(file.target, "%w", err), file.Abort())
	}
	file.hidden = nil
	return size, errors.Join(SyncFolder(filepath.Dir(file.path)), file.f.Close())
}

// name gives the file its name.
func (file *File) name() error {
	switch {
	case file.hidden == nil && !file.rules.Force:
		// A link is refused where the target has come to exist in the meantime.
		return linkNameless(file.f, file.path)
	case file.hidden == nil:
		// There is no way to replace a name by a file without one.
		h, err := hide(filepath.Dir(file.path), func(path string) (*os.File, error) { return file.f, linkNameless(file.f, path) })
		if err != nil {
			return err
		}
		file.hidden = h
		return os.Rename(h.path, file.path)
	case file.rules.Force:
		return os.Rename(file.hidden.path, file.path)
	}
	err := os.Link(file.hidden.path, file.path)
	if err == nil {
		return os.Remove(file.hidden.path)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems have no links.
	return os.Rename(file.hidden.path, file.path)
}

// Abort removes the file. After Commit it does nothing.
func (file *File) Abort() error {
	var errs []error
	if file.hidden != nil {
		if err := os.Remove(file.hidden.path); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		file.hidden = nil
	}
	if err := file.f.Close(); !errors.Is(err, os.ErrClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Explain puts the target in the place of the path that was written in an error's text.
func Explain(err error, path, target string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if strings.Contains(text, "No space left") || strings.Contains(text, "no space left") || strings.Contains(text, "Disk quota") {
		return fmt.Errorf("write %q: %w; free some space, or write elsewhere", target, ErrFull)
	}
	if strings.Contains(strings.ToLower(text), "file too large") {
		return fmt.Errorf("write %q: the file may not grow any more; raise the limit of file sizes (ulimit -f)", target)
	}
	if strings.Contains(text, "failed to offload data block") {
		return fmt.Errorf("write %q: %w, of temporary files; free some space, or write elsewhere, or let more memory be used", target, ErrFull)
	}
	if strings.Contains(text, path) {
		return fmt.Errorf("write %q: %s", target, strings.ReplaceAll(text, path, target))
	}
	return err
}
