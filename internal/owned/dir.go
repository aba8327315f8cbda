package owned

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// probe begins the names of files that are made to find out their owner.
const probe = ".datasync-export-probe-"

// Dir is an open folder. Its methods take names of files and folders in it, never paths, so they
// follow no link.
type Dir struct {
	path string
	root *os.Root
	f    *os.File
	// mine are the owners of files that this user makes there, nil if not known yet.
	mine []int
}

// OpenDir opens the folder that the path leads to, through links too. The caller closes it.
func OpenDir(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return held(path, root)
}

// OpenOwn opens the folder at the path, following no link at its end. It fails with ErrUntrusted unless
// that is a folder of one of the users. The caller closes it.
func OpenOwn(path string, users []int) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return open(path, users, func() (fs.FileInfo, error) { return os.Lstat(path) }, func() (*os.Root, error) { return os.OpenRoot(path) })
}

// open opens a folder and checks that it is the one that was looked at.
func open(path string, users []int, look func() (fs.FileInfo, error), root func() (*os.Root, error)) (*Dir, error) {
	info, err := look()
	if err != nil {
		return nil, err
	}
	if why := Folder(info, users); why != "" {
		return nil, &Error{path, why}
	}
	opened, err := root()
	if err != nil {
		return nil, err
	}
	d, err := held(path, opened)
	if err != nil {
		return nil, err
	}
	now, err := d.f.Stat()
	if err == nil && !os.SameFile(info, now) {
		err = &Error{path, "it was replaced while it was opened"}
	}
	if err == nil {
		if why := Folder(now, users); why != "" {
			err = &Error{path, why}
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func held(path string, root *os.Root) (*Dir, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Dir{path: path, root: root, f: f}, nil
}

// Close closes the folder.
func (d *Dir) Close() error { return errors.Join(d.f.Close(), d.root.Close()) }

// Name returns the path by which the folder was opened, or that of a file in it, for messages.
func (d *Dir) Name(name ...string) string {
	return filepath.Join(append([]string{d.path}, name...)...)
}

// File returns the folder's descriptor, to lock it, to sync it, and for system calls.
func (d *Dir) File() *os.File { return d.f }

// Path returns a path by which this process reaches the folder: through its descriptor if the
// system has such paths, so that it always leads to this folder.
func (d *Dir) Path() string {
	path := descriptorPath(d.f)
	named, err1 := os.Stat(path)
	opened, err2 := d.f.Stat()
	if err1 == nil && err2 == nil && os.SameFile(named, opened) {
		return path
	}
	return d.path
}

var errName = errors.New("not a name in a folder")

func check(name string) error {
	if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
		return &fs.PathError{Op: "open", Path: name, Err: errName}
	}
	return nil
}

// Lstat describes the file of that name, without following a link.
func (d *Dir) Lstat(name string) (fs.FileInfo, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	return d.root.Lstat(name)
}

// Has reports whether something has the name.
func (d *Dir) Has(name string) bool {
	_, err := d.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// users returns the owners whose files in the folder count as this user's. Some file systems, above
// all of other machines, give the files that a user makes to another owner. So if a file belongs to
// another user, the owner of a new file is compared.
func (d *Dir) users(of fs.FileInfo) []int {
	if uid, ok := Owner(of); !ok || uid == os.Geteuid() {
		return Mine()
	}
	if d.mine == nil {
		d.mine = Mine()
		name := probe + rand.Text()
		if f, err := d.Create(name); err == nil {
			if info, err := f.Stat(); err == nil {
				if uid, ok := Owner(info); ok {
					d.mine = append(d.mine, uid)
				}
			}
			_ = f.Close()
			_ = d.root.Remove(name)
		}
	}
	return d.mine
}

// Here returns the owners of files that this user makes in a folder.
func Here(folder string) []int {
	d, err := OpenDir(folder)
	if err != nil {
		return Mine()
	}
	defer func() { _ = d.Close() }()
	return d.users(unowned{})
}

// unowned describes a file of no user, for which users has to make a new file.
type unowned struct{ fs.FileInfo }

func (unowned) Sys() any { return &syscall.Stat_t{Uid: ^uint32(0)} }

// Sub opens a folder in it. It fails with ErrUntrusted unless that is a folder of this user.
func (d *Dir) Sub(name string) (*Dir, error) {
	info, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	return open(d.Name(name), d.users(info), func() (fs.FileInfo, error) { return d.Lstat(name) }, func() (*os.Root, error) { return d.root.OpenRoot(name) })
}

// Make opens a folder in it like Sub, and makes it if there is none.
func (d *Dir) Make(name string) (*Dir, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return d.Sub(name)
}

// New makes a folder in it, which must not exist.
func (d *Dir) New(name string) (*Dir, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	if err := d.root.Mkdir(name, 0o700); err != nil {
		return nil, err
	}
	return d.Sub(name)
}

// Create makes a file in it with mode 0600, which must not exist.
func (d *Dir) Create(name string) (*os.File, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	return d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// Open opens a file in it to read. It fails with ErrUntrusted if why, such as File or ReadFile, returns a
// reason.
func (d *Dir) Open(name string, why func(info fs.FileInfo, users []int) string) (*os.File, error) {
	info, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	users := d.users(info)
	if wrong := why(info, users); wrong != "" {
		return nil, &Error{d.Name(name), wrong}
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return checked(f, d.Name(name), func(now fs.FileInfo) string {
		if !os.SameFile(info, now) {
			return "it was replaced while it was opened"
		}
		return why(now, users)
	})
}

// Holds reports whether an open file or folder has that name in it.
func (d *Dir) Holds(f *os.File, name string) bool {
	opened, err1 := f.Stat()
	named, err2 := d.Lstat(name)
	return err1 == nil && err2 == nil && os.SameFile(opened, named)
}

// Entries returns the folder's entries, in no order.
func (d *Dir) Entries() ([]fs.DirEntry, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.ReadDir(-1)
}

// Rename renames a file or folder in it. It replaces a file that has the new name.
func (d *Dir) Rename(from, to string) error {
	if err := errors.Join(check(from), check(to)); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

// Link gives a file in it a second name, which must not be taken.
func (d *Dir) Link(from, to string) error {
	if err := errors.Join(check(from), check(to)); err != nil {
		return err
	}
	return d.root.Link(from, to)
}

// Move moves a file or folder to another folder. It fails with fs.ErrExist if the name is taken
// there.
func (d *Dir) Move(name string, to *Dir, newName string) error {
	if err := errors.Join(check(name), check(newName)); err != nil {
		return err
	}
	err := renameNew(int(d.f.Fd()), name, int(to.f.Fd()), newName)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		// The system or the file system cannot check and rename in one step.
		if to.Has(newName) {
			err = fs.ErrExist
		} else {
			err = unix.Renameat(int(d.f.Fd()), name, int(to.f.Fd()), newName)
		}
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: d.Name(name), New: to.Name(newName), Err: err}
	}
	return nil
}

// Exchange swaps two names in it in one step.
func (d *Dir) Exchange(a, b string) error {
	if err := errors.Join(check(a), check(b)); err != nil {
		return err
	}
	return exchange(int(d.f.Fd()), a, b)
}

// Remove removes a file, a link itself, or an empty folder.
func (d *Dir) Remove(name string) error {
	if err := check(name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// Clear removes everything in the folder, and follows no link.
func (d *Dir) Clear() error {
	entries, err := d.Entries()
	for _, e := range entries {
		err = errors.Join(err, d.root.RemoveAll(e.Name()))
	}
	return err
}

// RemoveAll removes an open folder in it, with everything in that. It does nothing if another folder
// has the name by now.
func (d *Dir) RemoveAll(sub *Dir, name string) error {
	if !d.Holds(sub.f, name) {
		return nil
	}
	if err := sub.Clear(); err != nil {
		return err
	}
	return d.Remove(name)
}

// SyncAll syncs the folder and everything in it to the disk.
func (d *Dir) SyncAll() error {
	entries, err := d.Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			sub, err := d.Sub(e.Name())
			if err == nil {
				err = errors.Join(sub.SyncAll(), sub.Close())
			}
			if err != nil {
				return err
			}
			continue
		}
		f, err := d.Open(e.Name(), ReadFile)
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		if err != nil {
			return err
		}
	}
	return d.f.Sync()
}

// Shared reports whether other users may rename this user's files in the folder.
func (d *Dir) Shared() bool {
	info, err := d.f.Stat()
	if err != nil {
		return true
	}
	uid, ok := Owner(info)
	mine := ok && (uid == 0 || uid == os.Geteuid())
	return !mine || info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0
}
