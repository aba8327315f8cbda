package upload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"datasync/lake/bucket"

	"github.com/google/uuid"
)

// marker lists the objects that an upload may leave. It is an object beside the folder. An upload writes it
// first, and deletes it after all objects that no manifest names.
type marker struct {
	tag string
	// Replaces are the names of the folder's earlier files.
	Replaces []string `json:"replaces"`
}

func newMarker(before *state) marker {
	m := marker{tag: strings.ReplaceAll(uuid.NewString(), "-", "")[:16], Replaces: []string{}}
	if before != nil {
		m.Replaces = before.names
	}
	return m
}

func (u *upload) writeMarker(ctx context.Context, m *marker) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return u.bucket.Put(ctx, u.target.markers()+m.tag, text, bucket.PutOptions{})
}

// readMarkers returns the markers of all uploads to the folder, this one included.
func (u *upload) readMarkers(ctx context.Context) (all []marker, err error) {
	for o, err := range u.bucket.List(ctx, u.target.markers()) {
		if err != nil {
			return nil, err
		}
		m := marker{tag: strings.TrimPrefix(o.Key, u.target.markers())}
		if !isTag(m.tag) {
			continue
		}
		text, err := u.bucket.Get(ctx, o.Key)
		if errors.Is(err, bucket.ErrMissing) {
			continue // its upload has ended
		}
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("%w: s3://%s/%s cannot be read: %w", ErrTarget, u.target.bucket, o.Key, err)
		}
		all = append(all, m)
	}
	return all, nil
}

func isTag(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == ""
}

// leftovers are the names in the folder that uploads wrote or replaced.
type leftovers struct{ tags, names map[string]bool }

func leftBy(markers []marker) leftovers {
	l := leftovers{map[string]bool{}, map[string]bool{}}
	for _, m := range markers {
		l.tags[m.tag] = true
		for _, name := range m.Replaces {
			l.names[name] = true
		}
	}
	return l
}

// has reports whether a name in the folder is a leftover.
func (l *leftovers) has(name string) bool {
	stem, _, _ := strings.Cut(path.Base(name), ".")
	return l.tags[stem[strings.LastIndex(stem, "-")+1:]] || l.names[name]
}

// sweep removes the leftovers that the manifest does not name. A concurrent upload then fails to write its
// manifest, because the manifest has changed.
func (u *upload) sweep(ctx context.Context, manifest []byte) error {
	markers, err := u.readMarkers(ctx)
	if err != nil {
		return err
	}
	names, err := namesIn(manifest)
	if err != nil {
		return err
	}
	return u.remove(ctx, markers, names)
}

// remove removes the objects and incomplete parts of the markers' uploads, except those in names, and then
// the markers.
func (u *upload) remove(ctx context.Context, markers []marker, names []string) error {
	live := make(map[string]bool, len(names))
	for _, name := range names {
		live[u.target.object(name)] = true
	}
	all := leftBy(markers)
	left := func(key string) bool { return !live[key] && all.has(strings.TrimPrefix(key, u.target.object(""))) }
	var keys []string
	for o, err := range u.bucket.List(ctx, u.target.object("")) {
		if err != nil {
			return err
		}
		if left(o.Key) {
			keys = append(keys, o.Key)
		}
	}
	if err := u.bucket.Delete(ctx, keys...); err != nil {
		return err
	}
	u.result.Removed += int64(len(keys))
	if err := u.abort(ctx, u.target.object(""), left); err != nil {
		return err
	}
	own := make([]string, len(markers))
	for i, m := range markers {
		own[i] = u.target.markers() + m.tag
	}
	return u.bucket.Delete(ctx, own...)
}
