package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"datasync/query"

	"golang.org/x/sys/unix"
)

const (
	// historyLines is how many entries the shell goes back.
	historyLines = 2000
	// historyEntry is how many bytes one that is kept may have, historyRead how many bytes
	// of the file's end are read.
	historyEntry = 16 << 10
	historyRead  = 4 << 20
)

// history is the file in which the shell keeps what was typed. A nil one keeps nothing.
type history struct{ f *os.File }

// historyFolder is where it is; empty where there is no such place.
func (p *program) historyFolder() string {
	state := p.getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // by the XDG Base Directory Specification others are ignored
		home := p.getenv("HOME")
		if home == "" {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "datasync")
}

// openHistory opens the history in that folder, and makes it where there is none. Only a
// regular file of this user, in a folder in which nobody else can put one, is read or written:
// what it has is shown, and what is typed may be secret.
func openHistory(folder string) (_ *history, err error) {
	if folder == "" {
		return nil, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	// From here on nothing is looked up by the folder's name, which might lead elsewhere by then.
	at, err := unix.Open(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s is no folder that can be used: %w", folder, err)
	}
	dir := os.NewFile(uintptr(at), folder)
	defer func() { _ = dir.Close() }()
	if info, err := dir.Stat(); err != nil {
		return nil, err
	} else if !ownFile(info) || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s is not a folder of this user alone", folder)
	}
	name := filepath.Join(folder, "history")
	// A FIFO would be waited for.
	fd, err := unix.Openat(at, "history", unix.O_CREAT|unix.O_RDWR|unix.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s is no file that can be used: %w", name, err)
	}
	h := &history{os.NewFile(uintptr(fd), name)}
	if info, err := h.f.Stat(); err != nil || !info.Mode().IsRegular() || !ownFile(info) {
		h.close()
		return nil, errors.Join(err, fmt.Errorf("%s is not a regular file of this user", name))
	}
	return h, nil
}

// ownFile reports whether a file is this user's.
func ownFile(info os.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}

// entries returns what was typed before, the oldest first. What would do more on a terminal
// than be seen, which nobody has typed, is left out.
func (h *history) entries() []string {
	if h == nil {
		return nil
	}
	info, err := h.f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-historyRead)
	b, err := io.ReadAll(io.NewSectionReader(h.f, from, historyRead))
	if err != nil {
		return nil
	}
	if from > 0 { // in the midst of a line
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	var entries []string
	lines := 0
	for line := range strings.Lines(string(b)) {
		lines++
		if line = strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")); line != "" && len(line) <= historyEntry && query.Visible(line) == line {
			entries = append(entries, line)
		}
	}
	entries = entries[max(0, len(entries)-historyLines):]
	if from > 0 || lines > 2*historyLines {
		h.shorten(entries)
	}
	return entries
}

// shorten leaves only these entries in the file.
func (h *history) shorten(entries []string) {
	if h.f.Truncate(0) == nil {
		_, _ = h.f.WriteString(strings.Join(entries, "\n") + "\n")
	}
}

// add keeps one more entry.
func (h *history) add(entry string) {
	if h == nil || len(entry) > historyEntry || strings.ContainsAny(entry, "\r\n") {
		return
	}
	_, _ = h.f.WriteString(entry + "\n") // where it cannot be kept, the shell goes on without
}

func (h *history) close() {
	if h != nil {
		_ = h.f.Close()
	}
}
