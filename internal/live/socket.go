package live

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"datasync/internal/owned"
)

const (
	// maxSocketPath is how many bytes the path of a socket may have: 104 with the byte
	// that ends it on macOS, 108 on Linux.
	maxSocketPath = 103
	// nameSuffix is what the file beside the database that names the socket has behind
	// the database's own name.
	nameSuffix = ".socket"
	// maxNameFile is how many bytes it may have.
	maxNameFile = 4096
)

// socketPath is what the path of a socket of ours looks like.
var socketPath = regexp.MustCompile(`^/(?:.*/)?datasync(?:-[0-9]+)?/[0-9a-f]{16}\.sock$`)

// Folders returns where a socket may be made, the best place first: the runtime folder
// of the user, where there is one, and folders of his own for temporary files.
func Folders(runtime, temporary string) []string {
	var folders []string
	if filepath.IsAbs(runtime) {
		folders = append(folders, filepath.Join(runtime, "datasync"))
	}
	own := fmt.Sprintf("datasync-%d", os.Getuid())
	if filepath.IsAbs(temporary) {
		folders = append(folders, filepath.Join(temporary, own))
	}
	return append(folders, filepath.Join("/tmp", own))
}

// listen makes the socket of the database at that absolute path in the first folder
// that is fit for it. One that was left there by a killed pull is replaced: the caller
// holds the database's lock.
func listen(database string, folders []string) (*net.UnixListener, error) {
	sum := sha256.Sum256([]byte(database))
	var errs []error
	for _, folder := range folders {
		path := filepath.Join(folder, hex.EncodeToString(sum[:8])+".sock")
		if len(path) > maxSocketPath {
			errs = append(errs, fmt.Errorf("%q is longer than the %d bytes of a socket's path", path, maxSocketPath))
			continue
		}
		l, err := listenIn(folder, path)
		if err == nil {
			return l, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func listenIn(folder, path string) (*net.UnixListener, error) {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ownedBy(info, owned.Mine()):
		return nil, fmt.Errorf("%q is not a folder of this user alone", folder)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func ownedBy(info fs.FileInfo, users []int) bool {
	uid, ok := owned.Owner(info)
	return ok && slices.Contains(users, uid)
}

// writeName names the socket in the file beside the database.
func writeName(database, socket string) error {
	name := database + nameSuffix
	building := name + ".new"
	if err := os.Remove(building); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(building, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(socket + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(building, name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(building))
	}
	return err
}

// readName returns the socket that the file beside the database names, if that can be
// trusted: both must be of this user or of root.
func readName(database string) (string, error) {
	name := database + nameSuffix
	f, err := owned.Open(name, os.O_RDONLY, 0, users())
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxNameFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	path, ok := strings.CutSuffix(string(text), "\n")
	if !ok || len(text) > maxNameFile || !socketPath.MatchString(path) {
		return "", fmt.Errorf("%q names no socket", name)
	}
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return "", err
	case info.Mode().Type() != fs.ModeSocket || !ownedBy(info, users()):
		return "", fmt.Errorf("%q is not a socket of this user", path)
	}
	return path, nil
}

// users are those whose pulls are asked.
func users() []int { return append(owned.Mine(), 0) }

// clean removes what a killed pull has left: the socket that the file beside the
// database names, and that file. The caller holds the database's lock.
func clean(database string) error {
	var errs []error
	if socket, err := readName(database); err == nil {
		errs = append(errs, os.Remove(socket))
	}
	for _, name := range []string{database + nameSuffix, database + nameSuffix + ".new"} {
		if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
