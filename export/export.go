package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"datasync/internal/failpoint"
	"datasync/internal/store"
)

// ErrTarget says that the export cannot be written to that path.
var ErrTarget = errors.New("unusable export target")

// Result says what was written.
type Result struct {
	Rows, Bytes int64
	// Partial says that the pull has not come to its end.
	Partial bool
}

// Parquet writes all events of the database file to a Parquet file, in the order
// in which they are stored, compressed with zstd. It fails with ErrTarget, or an
// error of store.OpenSession; the target is then as it was.
func Parquet(ctx context.Context, database, target string, force bool) (_ Result, err error) {
	target, err = checkTarget(target, force)
	if err != nil {
		return Result{}, err
	}
	building, err := reserve(target)
	if err != nil {
		return Result{}, err
	}
	defer func() {
		if err != nil {
			if errRemove := os.Remove(building); !errors.Is(errRemove, fs.ErrNotExist) {
				err = errors.Join(err, errRemove)
			}
		}
	}()
	result, err := copyEvents(ctx, database, building)
	if err != nil {
		return Result{}, err
	}
	if result.Bytes, err = finish(building, target, force); err != nil {
		return Result{}, err
	}
	return result, nil
}

func copyEvents(ctx context.Context, database, file string) (result Result, err error) {
	session, err := store.OpenSession(ctx, database, store.ReadOptions{Writable: []string{file}})
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	db := session.DB()
	err = db.QueryRowContext(ctx, "SELECT count(*) = 0 OR count(*) FILTER (state <> 'done') > 0 FROM checkpoint").Scan(&result.Partial)
	if err != nil {
		return Result{}, err
	}
	done, err := db.ExecContext(ctx, fmt.Sprintf("COPY (SELECT * FROM events) TO '%s' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
		strings.ReplaceAll(file, "'", "''")))
	if err != nil {
		return Result{}, fmt.Errorf("write the Parquet file: %w", err)
	}
	result.Rows, err = done.RowsAffected()
	return result, err
}

// checkTarget returns the absolute path of the target, if it may be written.
func checkTarget(target string, force bool) (string, error) {
	bad := func(why string) (string, error) { return "", fmt.Errorf("%w %q: %s", ErrTarget, target, why) }
	if target == "" || strings.Contains(target, "://") {
		return bad("name a file on this machine")
	}
	path, err := filepath.Abs(target)
	if err != nil {
		return bad(err.Error())
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return bad("its folder does not exist; make the folder first")
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if strings.HasSuffix(target, string(filepath.Separator)) {
			return bad("it is a folder")
		}
		return path, nil
	case err != nil:
		return bad(err.Error())
	case info.IsDir():
		return bad("it is a folder; name a file in it")
	case info.Mode()&fs.ModeSymlink != 0:
		return bad("it is a symbolic link; name the file itself")
	case !info.Mode().IsRegular():
		return bad("it is not a regular file")
	case !force:
		return bad("it exists; give --force to replace it")
	}
	return path, nil
}

// reserve makes an empty file of a new name beside the target, which nobody else
// can read.
func reserve(target string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(target), ".datasync-export-*")
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", ErrTarget, target, err)
	}
	return f.Name(), f.Close()
}

// finish makes sure that the file has reached the disk and gives it its name.
func finish(building, target string, force bool) (size int64, err error) {
	f, err := os.OpenFile(building, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	err = f.Sync()
	if info, errStat := f.Stat(); errStat == nil {
		size = info.Size()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	failpoint.Hit("f14")
	if force {
		if _, err := checkTarget(target, force); err != nil {
			return 0, err
		}
		err = os.Rename(building, target)
	} else if err = os.Link(building, target); err == nil {
		// A link is refused where the target has come to exist in the meantime.
		err = os.Remove(building)
	} else if !errors.Is(err, fs.ErrExist) {
		// Some file systems have no links.
		err = os.Rename(building, target)
	}
	if err != nil {
		return 0, fmt.Errorf("%w %q: %w", ErrTarget, target, err)
	}
	folder, err := os.Open(filepath.Dir(target))
	if err != nil {
		return 0, err
	}
	return size, errors.Join(folder.Sync(), folder.Close())
}
