package export

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// holdsOnlyExport fails if a folder is not an export or has other files in it, which would be
// lost with it.
func holdsOnlyExport(folder *owned.Dir, target string) error {
	path, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	parent, err := owned.OpenDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }()
	known := map[string]bool{}
	inside, beside := recordsInside(folder), recordsBeside(parent, filepath.Base(path), nil)
	for _, r := range []records{inside, beside} {
		for _, name := range []string{r.manifest, r.pending} {
			m, err := readManifest(r.in, name, owned.ReadFile)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			known[name] = true
			for _, f := range m.Files {
				known[f.Path] = true
			}
		}
	}
	if len(known) == 0 {
		return fmt.Errorf("there is no %s beside it and no %s in it, so no export made it", beside.manifest, inside.manifest)
	}
	delete(known, beside.manifest)
	delete(known, beside.pending)
	return holdsOnly(folder, "", known)
}

// holdsOnly fails if there are files in a folder of an export, whose path in that is the prefix,
// that are not known.
func holdsOnly(folder *owned.Dir, prefix string, known map[string]bool) error {
	entries, err := folder.Entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := prefix + e.Name()
		switch {
		case prefix == "" && outfile.IsHidden(path) && (e.IsDir() || e.Type().IsRegular()):
		case e.IsDir() && path == stagingName:
		case e.IsDir():
			sub, err := folder.Sub(e.Name())
			if err == nil {
				err = errors.Join(holdsOnly(sub, path+"/", known), sub.Close())
			}
			if err != nil {
				return err
			}
		case !e.Type().IsRegular() || !known[path]:
			return fmt.Errorf("it holds %q, which no export made", path)
		}
	}
	return nil
}
