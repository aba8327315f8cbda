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

// A checkpoint of DuckDB writes new parts of its catalog and tables into blocks of 256 KiB that also
// have old parts. The old parts are valid until the header names the new ones. A kill or a power loss
// during such a write leaves a torn block: its valid parts are unchanged, but its checksum is wrong.
// DuckDB does not open such a file. Its error has the right checksum.

// torn matches that error.
var torn = regexp.MustCompile(`computed checksum (\d+) does not match stored checksum \d+ in block at location (\d+)`)

// tornBlock is a block that a checkpoint has written in part.
type tornBlock struct {
	at       int64
	checksum uint64
}

// maxRepairs is how many blocks of a file are repaired at most. A process writes one at a time; a
// power loss may tear several.
const maxRepairs = 64

// tornIn returns the block that an error of opening a file names.
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

// repair writes the checksum of the block's present contents. The caller does not have the file open.
func (b tornBlock) repair(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, b.checksum), b.at)
	return errors.Join(err, f.Sync(), f.Close())
}

// inCheckpoint reports whether a log ends with the two entries that a checkpoint adds before it writes
// to the file. An entry is its size, its checksum and a serialized object, which begins with its
// type: 99 is the position of the new catalog, and 100 a commit.
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

// tailOf returns that many bytes at the end of a file, or all bytes of a shorter one.
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

// repairTorn repairs a file that cannot be opened because of torn blocks. It does so only if a copy that
// was repaired in the same way is sound.
func repairTorn(ctx context.Context, path string) error {
	blocks, err := tryRecovery(ctx, path)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := b.repair(path); err != nil {
			return dbfile.Translate(path, err)
		}
	}
	return nil
}
