package dbfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"datasync/internal/human"
	"datasync/internal/model"
)

// CopyFile copies a file to a new one that only this user can read. It does so in another
// process, because a process that has the file open as a database must not open it again. If the
// file system cannot share blocks, room must first agree to the number of bytes. After a failure
// there is no new file.
func CopyFile(ctx context.Context, from, to string, room func(bytes int64) error) (err error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Translate(from, err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	if runCopy(ctx, f, "--reflink=always", "--", from) == nil {
		return nil
	}
	size, err := SizeOf(from)
	if err != nil {
		return Translate(from, err)
	}
	if err := room(size); err != nil {
		return err
	}
	if err := runCopy(ctx, f, "--", from); err != nil {
		return Translate(from, fmt.Errorf("copy the file: %w", err))
	}
	return nil
}

// runCopy runs cp with the new file as its stdout. With a name, a cp that outlives this process
// could create the file again after the next pull has removed it. cp gets no environment of this
// process, as that may have the API key.
func runCopy(ctx context.Context, to *os.File, args ...string) error {
	cmd := exec.CommandContext(ctx, "cp", append(args, "/dev/stdout")...)
	cmd.Env = []string{"LC_ALL=C"}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = to, &said
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case said.Len() > 0:
		return errors.New(OneLine(said.String()))
	}
	return err
}

// SizeOf returns the size of a file in bytes, 0 if there is no file.
func SizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// CheckRoom fails with ErrNoRoomForCopy if the file system of the database at path has too little space. It must
// have space for that many bytes, a tenth more and 16 MiB. The writer of the database needs space too.
func CheckRoom(path string, bytes int64, free func(folder string) (int64, error)) error {
	have, err := free(filepath.Dir(path))
	if err != nil {
		return Translate(path, err)
	}
	if need := bytes + bytes/10 + 16<<20; have < need {
		return &model.FileError{Kind: ErrNoRoomForCopy, Path: path, Detail: fmt.Sprintf("%s MiB are needed, %s MiB are free", human.Thousands((need+1<<20-1)>>20), human.Thousands(have>>20)),
			Hint: "free some space, or wait for the pull to end"}
	}
	return nil
}

// CheckStaging fails with ErrNoRoomForExport if the folder's file system has less than that many bytes
// left, for files of an export from the database of that name.
func CheckStaging(name, folder string, bytes int64) error {
	have, err := FreeBytes(folder)
	if err != nil {
		return Translate(name, err)
	}
	if have < bytes {
		return &model.FileError{Kind: ErrNoRoomForExport, Path: name, Hint: "free some space",
			Detail: fmt.Sprintf("%s MiB are needed, %s MiB are free", human.Thousands((bytes+1<<20-1)>>20), human.Thousands(have>>20))}
	}
	return nil
}

// FreeBytes returns how many bytes the folder's file system has left for this user.
func FreeBytes(folder string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // on macOS they are of other types
}

// SyncFolder makes a rename in the folder durable against a power loss.
func SyncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
