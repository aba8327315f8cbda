package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"datasync/lake/bucket"
)

// state is the folder's export before an upload.
type state struct {
	etag string // of the manifest
	// names are the names of its files in the folder.
	names []string
}

// readState returns the folder's export, or nil.
func (u *upload) readState(ctx context.Context) (*state, error) {
	for range 100 { // until the manifest does not change while it is read
		head, err := u.bucket.Head(ctx, u.target.manifest)
		if errors.Is(err, bucket.ErrMissing) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := u.bucket.Get(ctx, u.target.manifest)
		if errors.Is(err, bucket.ErrMissing) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		again, err := u.bucket.Head(ctx, u.target.manifest)
		if err != nil && !errors.Is(err, bucket.ErrMissing) {
			return nil, err
		}
		if err != nil || again.ETag != head.ETag {
			continue // a concurrent upload replaced it
		}
		names, err := namesIn(text)
		if err != nil {
			return nil, fmt.Errorf("%w: s3://%s/%s is not a manifest of an export (%w); move it away, or name another target", ErrTarget, u.target.bucket, u.target.manifest, err)
		}
		return &state{head.ETag, names}, nil
	}
	return nil, fmt.Errorf("%w: other exports replace s3://%s/%s all the time; run this export again", ErrTarget, u.target.bucket, u.target.manifest)
}

// namesIn returns the names of the files of a manifest.
func namesIn(text []byte) ([]string, error) {
	var m struct {
		Version int `json:"version"`
		Files   []struct {
			Path string `json:"path"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	if m.Version == 0 {
		return nil, errors.New("it has no version")
	}
	names := make([]string, 0, len(m.Files))
	for _, f := range m.Files {
		if !isBelow(f.Path) {
			return nil, fmt.Errorf("it names %q", f.Path)
		}
		names = append(names, f.Path)
	}
	return names, nil
}

// renameIn renames a file in a manifest, and keeps the rest of the text. It fails with ErrPlan unless the
// manifest names the file exactly once.
func renameIn(text []byte, name, to string) ([]byte, error) {
	from, member := []byte(`"path": `+quoted(name)), []byte(`"path": `+quoted(to))
	if bytes.Count(text, from) != 1 {
		return nil, fmt.Errorf("%w: the manifest does not name %q once", ErrPlan, name)
	}
	return bytes.Replace(text, from, member, 1), nil
}

// quoted formats a string as package export does in a manifest.
func quoted(s string) string {
	text, _ := json.Marshal(s) // never fails for a string
	return string(text)
}

// checkFree fails with ErrTarget unless the plan may replace the folder's export, or only killed uploads
// left objects in it.
func (u *upload) checkFree(ctx context.Context, before *state) error {
	switch {
	case before != nil && !u.plan.Upload.Replace:
		return u.exists(u.target.key)
	case before != nil:
		return nil
	}
	markers, err := u.readMarkers(ctx)
	if err != nil {
		return err
	}
	left := leftBy(markers)
	for o, err := range u.bucket.List(ctx, u.target.key+"/") {
		if err != nil {
			return err
		}
		if !left.has(strings.TrimPrefix(o.Key, u.target.object(""))) {
			return fmt.Errorf("%w: s3://%s/%s has s3://%s/%s, which no export wrote; name another folder", ErrTarget,
				u.target.bucket, u.target.key, u.target.bucket, o.Key)
		}
	}
	return nil
}
