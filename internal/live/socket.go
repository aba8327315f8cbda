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
	// maxSocketPath is the longest path of a socket in bytes. With the final NUL, macOS allows
	// 104 bytes and Linux 108.
	maxSocketPath = 103
	// nameSuffix ends the name of the file beside the database that holds the socket's path.
	nameSuffix = ".socket"
	// maxNameFile is the largest size of that file in bytes.
	maxNameFile = 4096
)

// socketPath matches the paths of this program's sockets.
var socketPath = regexp.MustCompile(`^/(?:.*/)?datasync(?:-[0-9]+)?/[0-9a-f]{16}\.sock$`)

// Folders returns the folders in which a socket may be made, the best first: the user's runtime
// folder, then this user's own folders in temporary and in /tmp. It skips relative paths.
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

// listen makes the socket of the database in the first suitable folder. It replaces a socket
// that a killed pull has left: the caller holds the database's lock.
func listen(database string, folders []string) (*net.UnixListener, error) {
	sum := sha256.Sum256([]byte(database))
	var errs []error
	for _, folder := range folders {
		path := filepath.Join(folder, hex.EncodeToString(sum[:8])+".sock")
		if len(path) > maxSocketPath {
			errs = append(errs, fmt.Errorf("%q is longer than the path of a socket may be: %d bytes", path, maxSocketPath))
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

// Private returns the first suitable one of the folders, which only this user can enter. It makes the folder if it is
// missing.
func Private(folders []string) (string, error) {
	var errs []error
	for _, folder := range folders {
		err := makePrivate(folder)
		if err == nil {
			return folder, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// makePrivate makes a folder unless it exists. It fails unless only this user can enter it.
func makePrivate(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return err
	case !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ownedBy(info, owned.Mine()):
		return fmt.Errorf("%q is not a folder that only this user can enter", folder)
	}
	return nil
}

func listenIn(folder, path string) (*net.UnixListener, error) {
	if err := makePrivate(folder); err != nil {
		return nil, err
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

// writeName writes the socket's path into the file beside the database.
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

// readName returns the path of the socket from the file beside the database. It fails unless
// this user or root owns both.
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
		return "", fmt.Errorf("%q does not name a socket", name)
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

// users returns the users whose pulls a reader trusts.
func users() []int { return append(owned.Mine(), 0) }

// clean removes the file beside the database that names a socket, and that socket. The caller
// holds the database's lock.
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
