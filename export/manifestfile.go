package export

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"datasync/internal/owned"
)

// check fails if the file is not in its folder, with its size.
func (f *manifestFile) check(folder *owned.Dir) error {
	opened, err := f.open(folder)
	if err != nil {
		return err
	}
	return opened.Close()
}

// open opens the file in the folder of the export. It fails with owned.ErrUntrusted if that, or a
// folder on the way to it, is a link or another user's.
func (f *manifestFile) open(folder *owned.Dir) (_ *os.File, err error) {
	in, name, err := descend(folder, f.Path, (*owned.Dir).Sub)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.changed()
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, leave(folder, in)) }()
	opened, err := in.Open(name, owned.ReadFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.changed()
	}
	if err != nil {
		return nil, err
	}
	if !f.hasSize(opened) {
		return nil, errors.Join(f.changed(), opened.Close())
	}
	return opened, nil
}

func (f *manifestFile) changed() error {
	return fmt.Errorf("its file %s is gone or has changed", f.Path)
}

// hasSize reports whether an open file has the size of the manifest.
func (f *manifestFile) hasSize(content *os.File) bool {
	info, err := content.Stat()
	return err == nil && info.Size() == f.Bytes
}

// hasContent reports whether an open file has the size and the SHA-256 of the manifest.
func (f *manifestFile) hasContent(content *os.File) bool {
	size, sum, err := hash(content)
	return err == nil && size == f.Bytes && sum == f.SHA256
}

// hash returns a file's size in bytes and its SHA-256 in hex.
func hash(f io.Reader) (size int64, sum string, err error) {
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return 0, "", err
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}
