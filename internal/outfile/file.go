package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"datasync/internal/failpoint"
	"datasync/internal/owned"
)

// File is a file that gets its name when it is whole. Its mode is 0600.
type File struct {
	place *place
	// shared says that the caller closes the folder of the file.
	shared bool
	f      *os.File
	// hidden is the name before Commit; nil if it has none.
	hidden *hidden
}

// Create begins a file. The caller ends it with Commit or Abort. It fails with ErrTarget.
func Create(target string, rules Rules) (*File, error) { return create(target, rules, nameless) }

// CreateIn begins a file in a folder, which the caller keeps open, and replaces a file of that name.
// The caller ends it with Commit or Abort.
func CreateIn(folder *owned.Dir, name string) (*File, error) {
	path := folder.Name(name)
	file := &File{place: &place{path, path, Rules{Force: true}, folder, name}, shared: true}
	return file, file.begin(nameless)
}

// create makes the file by nameless, or with a hidden name if that fails.
func create(target string, rules Rules, nameless func(folder *owned.Dir) (*os.File, error)) (*File, error) {
	p, err := locate(target, rules)
	if err != nil {
		return nil, err
	}
	file := &File{place: p}
	if err := file.begin(nameless); err != nil {
		return nil, errors.Join(err, p.parent.Close())
	}
	return file, nil
}

func (file *File) begin(nameless func(folder *owned.Dir) (*os.File, error)) (err error) {
	if err := file.place.checkFile(); err != nil {
		return err
	}
	sweep(file.place.parent)
	if file.f, err = nameless(file.place.parent); err == nil {
		return nil
	}
	if file.hidden, err = hide(file.place.parent, newFile(file.place.parent)); err != nil {
		return refuse(file.place.target, "%w", withoutPath(err))
	}
	file.f = file.hidden.f
	return nil
}

// Write appends to the file. Its errors name the target.
func (file *File) Write(b []byte) (int, error) {
	n, err := file.f.Write(b)
	if err != nil {
		err = file.Explain(err)
	}
	return n, err
}

// Path returns a path by which a library in this process can write the file, instead of Write. It is
// the path of the descriptor if possible, as somebody else may replace the hidden name by a link.
func (file *File) Path() string {
	if file.hidden == nil || reopens(file.f) {
		return DescriptorPath(file.f)
	}
	return file.hidden.path()
}

// Explain names the target in an error of a write to Path, and says what to do about a full disk.
func (file *File) Explain(err error) error { return Explain(err, file.Path(), file.place.target) }

// Commit syncs the file to the disk and gives it its name. It returns its size in bytes. After an
// error the target is as it was. It fails with ErrTarget.
func (file *File) Commit() (size int64, err error) {
	err = file.f.Sync()
	if info, errStat := file.f.Stat(); errStat == nil {
		size = info.Size()
	}
	if err != nil {
		return 0, errors.Join(file.Explain(err), file.Abort())
	}
	failpoint.Hit("f14")
	if err := file.place.checkFile(); err != nil {
		return 0, errors.Join(err, file.Abort())
	}
	if err := file.place.checkParent(); err != nil {
		return 0, errors.Join(err, file.Abort())
	}
	if err := file.name(); err != nil {
		return 0, errors.Join(refuse(file.place.target, "%w", withoutNames(err)), file.Abort())
	}
	file.hidden = nil
	return size, errors.Join(file.place.parent.File().Sync(), file.end())
}

// name gives the file the target's name.
func (file *File) name() error {
	parent, name := file.place.parent, file.place.name
	switch {
	case file.hidden == nil && !file.place.rules.Force:
		// linkat fails if the target exists by now.
		return linkNameless(file.f, parent, name)
	case file.hidden == nil:
		// No system call replaces a name by a file without one.
		h, err := hide(parent, func(name string) (*os.File, *owned.Dir, error) {
			return file.f, nil, linkNameless(file.f, parent, name)
		})
		if err != nil {
			return err
		}
		file.hidden = h
		return parent.Rename(h.name, name)
	case file.place.rules.Force:
		return parent.Rename(file.hidden.name, name)
	}
	err := parent.Link(file.hidden.name, name)
	if err == nil {
		return parent.Remove(file.hidden.name)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems have no hard links.
	return parent.Move(file.hidden.name, parent, name)
}

// Abort removes the file. After Commit it does nothing.
func (file *File) Abort() error {
	var errs []error
	if file.hidden != nil {
		if file.place.parent.Holds(file.f, file.hidden.name) {
			errs = append(errs, file.place.parent.Remove(file.hidden.name))
		}
		file.hidden = nil
	}
	if err := file.end(); !errors.Is(err, os.ErrClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// end closes the file, and its folder unless the caller does.
func (file *File) end() error {
	err := file.f.Close()
	if file.shared || errors.Is(err, os.ErrClosed) {
		return err
	}
	return errors.Join(err, file.place.parent.Close())
}

// Explain replaces the path that was written by the target in an error's text, and says what to do
// about a full disk. An error of package owned is not changed.
func Explain(err error, path, target string) error {
	if err == nil || errors.Is(err, owned.ErrUntrusted) {
		return err // it names its own path
	}
	text := err.Error()
	if strings.Contains(text, "No space left") || strings.Contains(text, "no space left") || strings.Contains(text, "Disk quota") {
		return fmt.Errorf("write %q: %w; free some space, or write elsewhere", target, ErrFull)
	}
	if strings.Contains(strings.ToLower(text), "file too large") {
		return fmt.Errorf("write %q: the file has reached the limit of file sizes; raise it (ulimit -f)", target)
	}
	if strings.Contains(text, "failed to offload data block") {
		return fmt.Errorf("write %q: %w, of temporary files; free some space, or write elsewhere, or let more memory be used", target, ErrFull)
	}
	if strings.Contains(text, path) {
		return fmt.Errorf("write %q: %s", target, strings.ReplaceAll(text, path, target))
	}
	return err
}
