package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"syscall"

	"datasync/internal/dbfile"
)

// A checkpoint of DuckDB puts what is new of its catalog and tables into the same blocks of
// 256 KiB as what is old and still counts, until the header names the new. A process that is
// killed in the midst of such a write, or a loss of power, leaves a block of which all that
// counts is as it was, and the checksum is not: DuckDB opens no such file. It says in its
// error what the checksum should be.

// torn finds the block in that error.
var torn = regexp.MustCompile(`computed checksum (\d+) does not match stored checksum \d+ in block at location (\d+)`)

// tornBlock is one that a checkpoint has written in part.
type tornBlock struct {
	at       int64
	checksum uint64
}

// maxTorn is how many blocks of a file are mended. One process writes one at a time; a loss of
// power may meet several.
const maxTorn = 64

// tornIn finds the block that an error of opening a file is about.
func tornIn(err error) (b tornBlock, ok bool) {
	m := torn.FindStringSubmatch(err.Error())
	if m == nil {
		return b, false
	}
	var err1, err2 error
	b.checksum, err1 = strconv.ParseUint(m[1], 10, 64)
	b.at, err2 = strconv.ParseInt(m[2], 10, 64)
	return b, err1 == nil && err2 == nil
}

// mend writes the checksum of what the block holds now. The caller has the file not open.
func (b tornBlock) mend(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, b.checksum), b.at)
	return errors.Join(err, f.Sync(), f.Close())
}

// inCheckpoint reports whether a log ends with the two entries that a checkpoint makes before
// it writes to the file. An entry is its size, its checksum, and what DuckDB serializes, which
// begins with its type: here 99, where the new catalog will be, and 100, a commit.
func inCheckpoint(log string) (bool, error) {
	const head, most = 16, 64
	b, err := tailOf(log, 2*head+2*most)
	if err != nil {
		return false, err
	}
	for _, kind := range []byte{100, 99} {
		begin := -1
		for size := 3; size <= most && head+size <= len(b); size++ {
			at := len(b) - head - size
			if binary.LittleEndian.Uint64(b[at:]) == uint64(size) && bytes.HasPrefix(b[at+head:], []byte{100, 0, kind}) {
				begin = at
				break
			}
		}
		if begin < 0 {
			return false, nil
		}
		b = b[:begin]
	}
	return true, nil
}

// tailOf returns the last bytes of a file, all of them if they are fewer.
func tailOf(path string, bytes int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(bytes, end))
	_, err = f.ReadAt(b, end-int64(len(b)))
	return b, err
}

// mendTorn mends a file that cannot be opened as a checkpoint has written blocks of it in
// part, if a copy of it that was mended so is sound.
func mendTorn(ctx context.Context, path string) error {
	blocks, err := rehearse(ctx, path)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := b.mend(path); err != nil {
			return dbfile.Translate(path, err)
		}
	}
	return nil
}
