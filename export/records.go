package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// records are the manifest of a folder, the pending manifest of an unfinished addition, and the
// staging folder for new files. They are beside the folder, because polars treats all files in a
// folder as data, even hidden ones (docs/decisions/015-exports.md).
//
// Folders of earlier versions keep them inside. A new folder gets its name while its manifest is
// still inside, so that both appear in one step. Then publish moves the manifest out. So a manifest
// inside is always the folder's, whatever is beside it.
type records struct {
	in                *owned.Dir // has the manifests
	manifest, pending string     // names in it
	stagingIn         *owned.Dir
	staging           string // a name in stagingIn
}

const (
	// insideName is the manifest's name in a folder.
	insideName = "_manifest.json"
	// besideSuffix follows the folder's name in the name of its manifest beside it.
	besideSuffix  = ".manifest.json"
	pendingSuffix = ".pending"
	// stagingName is the staging folder inside, and ends its name beside the folder.
	stagingName = ".datasync-staging"
)

// recordsInside returns the records in a folder.
func recordsInside(folder *owned.Dir) records {
	return records{folder, insideName, insideName + pendingSuffix, folder, stagingName}
}

// recordsBeside returns the records beside the folder of that name. The folder may be nil. Files can
// be renamed only within a disk: if another disk is mounted at the folder, its staged files are
// inside.
func recordsBeside(parent *owned.Dir, name string, folder *owned.Dir) records {
	r := records{parent, name + besideSuffix, name + besideSuffix + pendingSuffix, parent, "." + name + stagingName}
	if folder != nil && !sameDisk(parent, folder) {
		r.stagingIn, r.staging = folder, stagingName
	}
	return r
}

// sameDisk reports whether files can be renamed from one folder to another.
func sameDisk(a, b *owned.Dir) bool {
	infoA, errA := a.File().Stat()
	infoB, errB := b.File().Stat()
	if errA != nil || errB != nil {
		return false
	}
	statA, okA := infoA.Sys().(*syscall.Stat_t)
	statB, okB := infoB.Sys().(*syscall.Stat_t)
	return okA && okB && statA.Dev == statB.Dev
}

// findRecords returns the records of a folder, and whether there are any.
func findRecords(folder *outfile.LockedFolder) (records, bool) {
	for _, r := range []records{recordsInside(folder.Dir), recordsBeside(folder.Beside(), folder.Base(), folder.Dir)} {
		if r.in.Has(r.manifest) || r.in.Has(r.pending) {
			return r, true
		}
	}
	return records{}, false
}

// checkFree fails unless the manifest's name is free, or has the manifest of a folder that was
// removed or will be replaced.
func (r *records) checkFree() error {
	if _, err := r.in.Lstat(r.pending); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("its manifest cannot be written beside it: %w", err) // such as a name that is too long
	}
	if !r.in.Has(r.manifest) {
		return nil
	}
	if _, err := readManifest(r.in, r.manifest, owned.File); err != nil {
		return fmt.Errorf("another file has the name of its manifest: %w; move that file away", err)
	}
	return nil
}

// publish moves the manifest out of a folder, and removes the leftovers of an older folder of that
// name. It can be repeated after a kill at any moment, because the manifest is inside until its last
// step.
func (r *records) publish(inside *records) error {
	err := r.checkFree()
	if err == nil {
		s := staging{in: r.stagingIn, named: r.staging}
		err = errors.Join(s.open(), s.remove())
	}
	for _, name := range []string{r.pending, r.manifest} {
		if err == nil && r.in.Has(name) {
			err = removeOwn(r.in, name)
		}
	}
	if err == nil {
		err = inside.in.Move(inside.manifest, r.in, r.manifest)
	}
	if err != nil {
		return err
	}
	return errors.Join(r.in.File().Sync(), inside.in.File().Sync())
}

// removeOwn removes a file of this user.
func removeOwn(folder *owned.Dir, name string) error {
	f, err := folder.Open(name, owned.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), folder.Remove(name))
}
