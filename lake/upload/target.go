package upload

import (
	"fmt"
	"path"
	"strings"

	"datasync/internal/model"

	"datasync/lake/bucket"
)

// target has the keys of an upload.
type target struct {
	bucket string
	// key is the key of a file, or the prefix of a folder without its final slash.
	key string
	// manifest is the key of the folder's manifest; "" for a file.
	manifest string
	// local is the folder of the files in the staging folder, with a slash at its end, or "".
	local string
}

const (
	// besideSuffix follows the folder's name in the name of a manifest beside it.
	besideSuffix = ".manifest.json"
	// insideSuffix ends the name of a manifest in the folder.
	insideSuffix = "manifest.json"
)

// newTarget returns the target of a plan. A folder's URL ends with a slash. The plan's last file is the
// manifest: either FOLDER.manifest.json beside FOLDER, or a manifest in the folder. It fails with ErrPlan
// or bucket.ErrURL.
func newTarget(plan *model.LakeUpload) (t target, err error) {
	if plan == nil {
		return t, fmt.Errorf("%w: it has no target", ErrPlan)
	}
	if t.bucket, t.key, err = bucket.ParseURL(plan.Target); err != nil {
		return t, err
	}
	if t.key == "" {
		return t, fmt.Errorf("%w: %q is a whole bucket: name a file or a folder in it", bucket.ErrURL, plan.Target)
	}
	for _, f := range plan.Files {
		if !isBelow(f) {
			return t, fmt.Errorf("%w: %q is not a path in the staging folder", ErrPlan, f)
		}
	}
	if strings.HasSuffix(plan.Target, "/") {
		return t, t.asFolder(plan.Files)
	}
	if len(plan.Files) > 1 {
		return t, fmt.Errorf("%w: it has %d files for %s, which does not end with a slash", ErrPlan, len(plan.Files), plan.Target)
	}
	return t, nil
}

// asFolder finds the manifest of a folder.
func (t *target) asFolder(files []string) error {
	t.manifest = t.key + besideSuffix
	if len(files) == 0 {
		return nil
	}
	last := files[len(files)-1]
	switch folder, beside := strings.CutSuffix(last, besideSuffix); {
	case beside && path.Base(last) != besideSuffix:
		t.local = folder + "/"
	case strings.HasSuffix(last, insideSuffix):
		t.local, t.manifest = strings.TrimSuffix(last, path.Base(last)), t.key+"/"+path.Base(last)
	default:
		return fmt.Errorf("%w: the last file, %q, is not a manifest", ErrPlan, last)
	}
	for _, f := range files[:len(files)-1] {
		if !strings.HasPrefix(f, t.local) {
			return fmt.Errorf("%w: %q is not in the folder of the manifest", ErrPlan, f)
		}
	}
	return nil
}

// isBelow reports whether a slash-separated path is relative and stays below its folder.
func isBelow(p string) bool {
	return p != "" && path.Clean(p) == p && !path.IsAbs(p) && p != "." && p != ".." && !strings.HasPrefix(p, "../")
}

// inFolder returns a plan file's path in the folder, as in the manifest.
func (t *target) inFolder(file string) string { return strings.TrimPrefix(file, t.local) }

// object returns the key of a file of the folder.
func (t *target) object(name string) string { return t.key + "/" + name }

// markers returns the key prefix of markers. They are beside the folder, because readers may read every
// object in it.
func (t *target) markers() string {
	folder, name := path.Split(t.key)
	return folder + "." + name + ".datasync-upload-"
}

// tagged inserts the tag of an upload before the extensions of a file name.
func tagged(name, tag string) string {
	folder, base := path.Split(name)
	stem, endings, _ := strings.Cut(base, ".")
	if endings != "" {
		endings = "." + endings
	}
	return folder + stem + "-" + tag + endings
}
