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

// ErrNot says that a file or folder is not what this user would have put there.
var ErrNot = model.NewFailure(model.ExitFile, "untrusted", "not to be trusted")

// Error says what is wrong with a file or folder.
type Error struct{ Path, Why string }

func (e *Error) Error() string { return fmt.Sprintf("%q is %v: %s", e.Path, ErrNot, e.Why) }

// Unwrap gives errors.Is the sentinel.
func (e *Error) Unwrap() error { return ErrNot }

// Mine is the one user whose things are trusted where nothing else is said: that of the
// process.
func Mine() []int { return []int{os.Geteuid()} }

// File says why something is no regular file of one of the users with no other name; "" where
// it is one. A second name is refused as it makes of every change one elsewhere.
func File(info fs.FileInfo, users []int) string {
	why := ReadFile(info, users)
	if s, ok := info.Sys().(*syscall.Stat_t); why == "" && ok && s.Nlink > 1 {
		why = "it has another name too (a hard link)"
	}
	return why
}

// ReadFile is File for what is only read: it may have other names.
func ReadFile(info fs.FileInfo, users []int) string {
	if why := owner(info, users); why != "" {
		return why
	}
	if !info.Mode().IsRegular() {
		return "it is not a regular file"
	}
	return ""
}

// Folder says why something is no folder of one of the users; "" where it is one.
func Folder(info fs.FileInfo, users []int) string {
	if why := owner(info, users); why != "" {
		return why
	}
	if !info.IsDir() {
		return "it is not a folder"
	}
	return ""
}

// owner refuses links before owners: whose a link is says nothing of where it leads.
func owner(info fs.FileInfo, users []int) string {
	if info.Mode()&fs.ModeSymlink != 0 {
		return "it is a symbolic link"
	}
	if uid, ok := Owner(info); !ok || !slices.Contains(users, uid) {
		return "it belongs to " + userName(uid)
	}
	return ""
}

// Owner returns the number of the user whose a file is.
func Owner(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// userName is how a person knows a user: by name, or by number where there is none.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("the user of number %d", uid)
}

// Open opens a file of one of the users, following no link and waiting for nobody. It fails
// with ErrNot where it is none, or has another name too.
func Open(path string, flag int, perm fs.FileMode, users []int) (*os.File, error) {
	// Before it is opened: to open a FIFO or a device may do something.
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

// checked returns the open file unless something is wrong with it.
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
