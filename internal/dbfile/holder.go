package dbfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// program is the name under which this program is installed.
const program = "datasync"

// Holder is a process that has a database file open.
type Holder struct {
	PID int `json:"pid"`
	// Command is the process's command line without its arguments, "" if the system does not
	// tell.
	Command string `json:"command"`
	// Writing says that the process writes, and so keeps all others out.
	Writing bool `json:"writing"`
}

func (h *Holder) String() string {
	does := "reads"
	if h.Writing {
		does = "writes"
	}
	return fmt.Sprintf("%s %s it", h.Name(), does)
}

// Name returns the number of the process, and the name of its program in parentheses.
func (h *Holder) Name() string {
	switch {
	case h.PID <= 0: // the process is in another container, or on another machine
		return "another process"
	case h.Command == "":
		return fmt.Sprintf("process %d", h.PID)
	}
	return fmt.Sprintf("process %d (%s)", h.PID, filepath.Base(h.Command))
}

// reads reports whether the process is a datasync reader. Where the system does not name programs,
// every reader counts as one.
func (h *Holder) reads() bool {
	return !h.Writing && (h.Command == "" || filepath.Base(h.Command) == program || h.sameProgram())
}

// sameProgram reports whether the process runs the same executable file as this one, under any
// name.
func (h *Holder) sameProgram() bool {
	theirs, err1 := os.Stat(fmt.Sprintf("/proc/%d/exe", h.PID))
	ours, err2 := os.Stat("/proc/self/exe")
	return err1 == nil && err2 == nil && os.SameFile(theirs, ours)
}

// LockHolder returns a process that has the file open, or nil. It must not be called while this
// process has the file open: DuckDB would lose its POSIX lock.
func LockHolder(name string) (*Holder, error) {
	path, exists, err := Resolve(name)
	if err != nil || !exists {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, Translate(path, err)
	}
	// DuckDB takes a POSIX lock on the whole file.
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	err = errors.Join(syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock), f.Close())
	if err != nil || lock.Type == syscall.F_UNLCK {
		return nil, Translate(path, err)
	}
	h := &Holder{PID: int(lock.Pid), Writing: lock.Type == syscall.F_WRLCK}
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.PID)); err == nil {
		command, _, _ := bytes.Cut(line, []byte{0})
		h.Command = string(command)
	}
	return h, nil
}
