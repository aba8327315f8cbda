package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// bytesPerEvent is a little more than an event takes in a page.
const bytesPerEvent = 360

// PageSize is how many events a page of the benchmarks has: as many as the live service
// gives at once.
const PageSize = 5000

// Cache is a folder in which Sets are kept from one run to the next.
type Cache struct {
	Folder string
	// Root is the project's folder.
	Root string
}

// Find returns the folder for the Set of so many events, and whether the Set is there. The name has
// a hash of the mock server and this package, so it changes with their code. Older Sets of as many
// events are removed.
func (c Cache) Find(events int) (folder string, there bool, err error) {
	madeBy, err := hashSources(filepath.Join(c.Root, "mockserver"), filepath.Join(c.Root, "internal", "bench", "pages"))
	if err != nil {
		return "", false, err
	}
	kind := fmt.Sprintf("pages-%d-", events)
	folder = filepath.Join(c.Folder, kind+madeBy)
	others, err := filepath.Glob(filepath.Join(c.Folder, kind+"*"))
	if err != nil {
		return "", false, err
	}
	for _, other := range others {
		if other != folder {
			if err := os.RemoveAll(other); err != nil {
				return "", false, err
			}
		}
	}
	_, err = os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return folder, false, c.Room(events)
	}
	return folder, err == nil, err
}

// Room fails where the file system has no room for so many events more.
func (c Cache) Room(events int) error {
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	var free unix.Statfs_t
	if err := unix.Statfs(c.Folder, &free); err != nil {
		return err
	}
	need := int64(events) * bytesPerEvent
	have := int64(free.Bavail) * int64(free.Bsize) //nolint:unconvert // Bsize is another type on other systems
	if have < need {
		return fmt.Errorf("the pages need %d MB, and %s has %d MB free: give another folder with --work", need>>20, c.Folder, have>>20)
	}
	return nil
}

// hashSources hashes the Go files in some folders, without their tests.
func hashSources(folders ...string) (string, error) {
	h := sha256.New()
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			return "", err
		}
		if len(names) == 0 {
			return "", fmt.Errorf("no Go files in %s: is --root the project's folder?", folder)
		}
		slices.Sort(names)
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			// A hash fails at no write.
			_, _ = fmt.Fprintf(h, "%s %d\n", filepath.Base(name), len(text))
			_, _ = h.Write(text)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
