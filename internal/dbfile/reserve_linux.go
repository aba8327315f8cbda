package dbfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// reserve allocates disk space for the first bytes of a file, whose size stays.
func reserve(f *os.File, bytes int64) error {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, bytes)
}
