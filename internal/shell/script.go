package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"datasync/query"
)

const (
	// maxDepth is how deep files may read each other.
	maxDepth = 16
	// maxScript is the largest file in bytes.
	maxScript = 16 << 20
)

// readFile runs the lines of a file as if they were typed, up to the first error. A relative path
// begins in the folder in which the shell was started.
func (s *shell) readFile(ctx context.Context, argument string) error {
	name := s.path(argument)
	if name == "" {
		s.complain(".read: name the file")
		return nil
	}
	if s.depth == maxDepth {
		s.complain(fmt.Sprintf(".read %s: files are nested more than %d deep", name, maxDepth))
		return nil
	}
	text, err := s.script(name)
	if err != nil {
		s.complain(fmt.Sprintf(".read %s: %v", name, err))
		return nil
	}
	s.depth++
	defer func() { s.depth-- }()
	number := 0
	for line := range strings.Lines(text) {
		number++
		if err := s.enter(ctx, strings.TrimRight(line, "\r\n")); err != nil {
			return err
		}
		if s.stopped(name, number) {
			return nil
		}
	}
	if rest := s.pending.String(); rest != "" { // the last statement needs no semicolon
		s.pending.Reset()
		if statements, _ := query.Split(rest); len(statements) > 0 {
			s.failed = false
			s.run(ctx, request{text: rest})
			s.stopped(name, number)
		}
	}
	return nil
}

// stopped reports whether the last line failed, and says where.
func (s *shell) stopped(name string, number int) bool {
	if s.failed {
		s.pending.Reset()
		s.complain(fmt.Sprintf("%s stopped at line %d", name, number))
	}
	return s.failed
}

// script returns the text of a file. It never opens the database: DuckDB would lose its lock.
func (s *shell) script(name string) (string, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", withoutPath(err)
	case !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file")
	case s.own(name):
		return "", errors.New("it is the database, or a file that belongs to it")
	case info.Size() > maxScript:
		return "", fmt.Errorf("it is larger than %d MiB", maxScript>>20)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", withoutPath(err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxScript))
	return strings.TrimPrefix(string(b), "\ufeff"), err
}

// withoutPath returns an error about a file without its name.
func withoutPath(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
