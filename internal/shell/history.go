package shell

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/owned"
	"datasync/internal/term"
)

const (
	// maxEntries is the number of entries that a shell loads.
	maxEntries = 2000
	// maxEntry is the largest entry that is kept, in bytes.
	maxEntry = 16 << 10
	// maxRead is the number of bytes that are read, from the file's end.
	maxRead = 4 << 20
)

// history is the file of the entries that were typed. A nil history keeps none.
type history struct{ f *os.File }

// historyFolder returns the folder of the history, or "" if there is no home folder.
func historyFolder(getenv func(string) string) string {
	state := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // the XDG Base Directory Specification: ignore relative paths
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "datasync")
}

// openHistory opens or creates the history in that folder. The file must be a regular file of this
// user, in a folder to which no other user can write: its contents are shown, and entries may be
// secret.
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
		return nil, fmt.Errorf("other users can write to %q", folder)
	}
	// Through the folder's descriptor: its name may lead elsewhere by now.
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

// entries returns the entries, the oldest first. It omits entries with control characters, which
// cannot have been typed.
func (h *history) entries() []string {
	if h == nil {
		return nil
	}
	info, err := h.f.Stat()
	if err != nil {
		return nil
	}
	from := max(0, info.Size()-maxRead)
	b, err := io.ReadAll(io.NewSectionReader(h.f, from, maxRead))
	if err != nil {
		return nil
	}
	if from > 0 { // the first line is cut
		_, b, _ = bytes.Cut(b, []byte("\n"))
	}
	var entries []string
	lines := 0
	for line := range strings.Lines(string(b)) {
		lines++
		if line = strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")); line != "" && len(line) <= maxEntry && term.Visible(line) == line {
			entries = append(entries, line)
		}
	}
	entries = entries[max(0, len(entries)-maxEntries):]
	if from > 0 || lines > 2*maxEntries {
		h.shorten(entries)
	}
	return entries
}

// shorten replaces the file's contents by these entries.
func (h *history) shorten(entries []string) {
	if h.f.Truncate(0) == nil {
		_, _ = h.f.WriteString(strings.Join(entries, "\n") + "\n")
	}
}

// add appends an entry.
func (h *history) add(entry string) {
	if h == nil || len(entry) > maxEntry || strings.ContainsAny(entry, "\r\n") {
		return
	}
	_, _ = h.f.WriteString(entry + "\n") // the shell works without a history
}

func (h *history) close() {
	if h != nil {
		_ = h.f.Close()
	}
}
