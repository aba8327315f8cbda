package dbfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

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
	if h.Command == "" {
		return fmt.Sprintf("process %d %s it", h.PID, does)
	}
	return fmt.Sprintf("process %d (%s) %s it", h.PID, h.Command, does)
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
