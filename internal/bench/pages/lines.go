package pages

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"

	"datasync/mockserver"
)

// LinesPath is where the server has the events of the Set as one file of JSON lines, for programs
// that cannot read pages.
const LinesPath = "/events.jsonl"

func (s *Set) lines() string { return filepath.Join(s.folder, "events.jsonl") }

// HasLines reports whether RenderLines was done.
func (s *Set) HasLines() bool {
	_, err := os.Stat(s.lines())
	return err == nil
}

// RenderLines adds a file to the Set with an event a line, each as in the pages.
func (s *Set) RenderLines() error {
	unfinished := s.lines() + ".unfinished"
	if err := s.writeLines(unfinished); err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	return os.Rename(unfinished, s.lines())
}

func (s *Set) writeLines(name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	data := mockserver.NewDataset(mockserver.DataOptions{Events: s.Events})
	out := bufio.NewWriterSize(file, 1<<20)
	var line []byte
	for i := range s.Events {
		line = append(data.AppendEvent(line[:0], i), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return out.Flush()
}
