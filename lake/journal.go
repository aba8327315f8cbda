package lake

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// journal records each file before an export writes it to a bucket. A killed export leaves its journal
// beside the database. A later export deletes the files in it that no table has. Each export locks its own
// journal.
type journal struct {
	folder string
	mu     sync.Mutex
	file   *os.File // nil for a plan that writes nothing
	kept   bool
}

// abandoned is the age at which an export removes the files of a killed export's journal. A commit may
// reach the catalog late, after its process has ended.
const abandoned = time.Hour

// journalFolder is the hidden folder for the journals of a database, beside its staging folders.
func journalFolder(plan model.LakePlan) string {
	if plan.Staging == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(plan.Staging), "."+filepath.Base(plan.Name)+".lake-journal")
}

func openJournal(plan model.LakePlan, write bool) (*journal, error) {
	j := &journal{folder: journalFolder(plan)}
	if !write || j.folder == "" {
		return j, nil
	}
	var file *os.File
	err := fs.ErrNotExist
	for range 100 { // another export removes an empty folder when it ends
		if err = os.MkdirAll(j.folder, 0o700); err == nil {
			file, err = os.OpenFile(filepath.Join(j.folder, uuid.NewString()), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("write the journal of uploads: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", file.Name(), err), file.Close())
	}
	j.file = file
	return j, nil
}

// note records the location of a file before its upload.
func (j *journal) note(location string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	line, err := json.Marshal(location)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the journal of uploads: %w", err)
	}
	return nil
}

// keep leaves the journal for a later export.
func (j *journal) keep() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kept = true
}

// close removes the journal of an export that leaves no unused files.
func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	var err error
	if !j.kept {
		err = os.Remove(j.file.Name())
		_ = os.Remove(j.folder) // fails unless empty
	}
	return errors.Join(err, j.file.Close())
}

// old calls visit with the locations in each journal of an ended export that is at least an hour old. It
// keeps the locations that visit returns, and removes a journal without locations.
func (j *journal) old(visit func(locations []string) (left []string, err error)) error {
	if j.folder == "" {
		return nil
	}
	entries, err := os.ReadDir(j.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := j.one(filepath.Join(j.folder, e.Name()), visit); err != nil {
			return err
		}
	}
	_ = os.Remove(j.folder) // fails unless empty
	return nil
}

func (j *journal) one(path string, visit func([]string) ([]string, error)) (err error) {
	if j.file != nil && filepath.Base(path) == filepath.Base(j.file.Name()) {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if time.Since(info.ModTime()) < abandoned || syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil
	}
	var locations []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var location string
		if json.Unmarshal(lines.Bytes(), &location) == nil { // a kill may cut the last line: its file was not written
			locations = append(locations, location)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	left, err := visit(locations)
	switch {
	case err != nil, len(left) > 0 && len(left) == len(locations):
		return err
	case len(left) == 0:
		return os.Remove(path)
	}
	var text bytes.Buffer
	for _, location := range left {
		if err := json.NewEncoder(&text).Encode(location); err != nil {
			return err
		}
	}
	// A kill leaves the old journal, and perhaps the new one as another journal.
	aside := filepath.Join(filepath.Dir(path), uuid.NewString())
	if err := os.WriteFile(aside, text.Bytes(), 0o600); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return errors.Join(os.Chtimes(aside, info.ModTime(), info.ModTime()), os.Rename(aside, path)) // keep its age
}
