package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/owned"
	"datasync/query"
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
	d, err := owned.OpenOwn(folder, owned.Mine())
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	if d.Shared() {
		return nil, fmt.Errorf("others may write to %q", folder)
	}
	// By the folder's descriptor, as its name might lead elsewhere by now.
	f, err := owned.Open(filepath.Join(d.Path(), "history"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600, owned.Mine())
	var not *owned.Error
	if errors.As(err, &not) {
		err = &owned.Error{Path: d.Name("history"), Why: not.Why}
	}
	if err != nil {
		return nil, err
	}
	return &history{f}, nil
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
