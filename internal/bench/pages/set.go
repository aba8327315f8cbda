package pages

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"datasync/internal/bench/table"
)

// indexName is the name of the index. It does not end as those of pages do.
const indexName = "index"

// Set is a folder of rendered pages.
type Set struct {
	folder string
	Index
}

// Index describes a Set.
type Index struct {
	Events   int   `json:"events"`
	PageSize int   `json:"page_size"` // in events
	Bytes    int64 `json:"bytes"`     // of all bodies
	// Cursors ask for the pages, one for each; the first is empty.
	Cursors []string `json:"cursors"`
	// Want is the fingerprint of a table with all events.
	Want table.Fingerprint `json:"want"`
}

// Page is the file of a page, counted from 0.
func (s *Set) Page(n int) string { return filepath.Join(s.folder, pageName(n)) }

func pageName(n int) string { return fmt.Sprintf("page-%06d.json", n) }

// Pattern matches the files of all pages, in their order.
func (s *Set) Pattern() string { return filepath.Join(s.folder, "page-*.json") }

// Folder is the folder of the Set.
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
	var bytes int64
	for n := range s.Cursors {
		info, err := os.Stat(s.Page(n))
		if err != nil {
			return nil, err
		}
		bytes += info.Size()
	}
	if bytes != s.Bytes {
		return nil, fmt.Errorf("the pages in %s have %d bytes, not %d: remove the folder", folder, bytes, s.Bytes)
	}
	return s, nil
}
