package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"datasync/internal/model"
)

// ErrUntrusted says that a file or folder is not one that this user would have made.
var ErrUntrusted = model.NewFailure(model.ExitFile, "untrusted", "not trusted")

// Error is an ErrUntrusted with the path and the reason.
type Error struct{ Path, Why string }

func (e *Error) Error() string { return fmt.Sprintf("%q is %v: %s", e.Path, ErrUntrusted, e.Why) }

// Unwrap returns ErrUntrusted.
func (e *Error) Unwrap() error { return ErrUntrusted }

// Mine returns the user of the process, whose files are trusted by default.
func Mine() []int { return []int{os.Geteuid()} }

// File returns why something is not a regular file of one of the users with a single name, "" if it
// is. A file with a second name is refused: a change of it changes a file elsewhere.
func File(info fs.FileInfo, users []int) string {
	why := ReadFile(info, users)
	if s, ok := info.Sys().(*syscall.Stat_t); why == "" && ok && s.Nlink > 1 {
		why = "it has another name too (a hard link)"
	}
	return why
}

// ReadFile is File for files that are only read: they may have other names.
func ReadFile(info fs.FileInfo, users []int) string {
	if why := owner(info, users); why != "" {
		return why
	}
	if !info.Mode().IsRegular() {
		return "it is not a regular file"
	}
	return ""
}

// Folder returns why something is not a folder of one of the users, "" if it is.
func Folder(info fs.FileInfo, users []int) string {
	if why := owner(info, users); why != "" {
		return why
	}
	if !info.IsDir() {
		return "it is not a folder"
	}
	return ""
}

// owner refuses links first: the owner of a link says nothing about its target.
func owner(info fs.FileInfo, users []int) string {
	if info.Mode()&fs.ModeSymlink != 0 {
		return "it is a symbolic link"
	}
	if uid, ok := Owner(info); !ok || !slices.Contains(users, uid) {
		return "it belongs to " + userName(uid)
	}
	return ""
}

// Owner returns the user id of a file's owner.
func Owner(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// userName returns the name of a user, or the user id if there is none.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("the user with id %d", uid)
}

// Open opens a file without following a link, and without blocking. It fails with ErrUntrusted unless it
// is a file of one of the users with a single name.
func Open(path string, flag int, perm fs.FileMode, users []int) (*os.File, error) {
	// Checked before it is opened, as opening a FIFO or a device can have effects.
	info, err := os.Lstat(path)
	if err == nil {
		if why := File(info, users); why != "" {
			return nil, &Error{path, why}
		}
	}
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, perm)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &Error{path, "it is a symbolic link"}
	}
	if err != nil {
		return nil, err
	}
	return checked(f, path, func(info fs.FileInfo) string { return File(info, users) })
}

// checked returns the open file, or closes it if why returns a reason.
func checked(f *os.File, path string, why func(fs.FileInfo) string) (*os.File, error) {
	info, err := f.Stat()
	if err == nil {
		if wrong := why(info); wrong != "" {
			err = &Error{path, wrong}
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
