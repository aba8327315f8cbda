package pages

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"datasync/internal/bench/table"
)

const (
	bodiesName = "pages.jsonl"
	indexName  = "index.json"
)

// Set is a folder of rendered pages.
type Set struct {
	folder string
	Index
}

// Index says what is in a Set.
type Index struct {
	Events   int    `json:"events"`
	PageSize int    `json:"page_size"` // in events
	Bytes    int64  `json:"bytes"`     // of all bodies
	Pages    []Page `json:"pages"`
	// Want is what a table holds into which all events were stored.
	Want table.Fingerprint `json:"want"`
}

// Page is where a body lies, and which cursor asks for it: none for the first.
type Page struct {
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Cursor string `json:"cursor,omitempty"`
}

// Bodies is the file with a page a line.
func (s *Set) Bodies() string { return filepath.Join(s.folder, bodiesName) }

// Folder is where the Set lies.
func (s *Set) Folder() string { return s.folder }

// Open opens the Set in a folder.
func Open(folder string) (*Set, error) {
	text, err := os.ReadFile(filepath.Join(folder, indexName))
	if err != nil {
		return nil, err
	}
	s := &Set{folder: folder}
	if err := json.Unmarshal(text, &s.Index); err != nil {
		return nil, fmt.Errorf("read the index of the pages in %s: %w", folder, err)
	}
	info, err := os.Stat(s.Bodies())
	if err != nil {
		return nil, err
	}
	if want := s.Bytes + int64(len(s.Pages)); info.Size() != want {
		return nil, fmt.Errorf("%s has %d bytes, not %d: remove the folder", s.Bodies(), info.Size(), want)
	}
	return s, nil
}
