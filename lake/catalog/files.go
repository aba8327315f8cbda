package catalog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"datasync/lake/bucket"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// buckets opens each bucket once per set of credentials.
type buckets struct {
	endpoint string
	wrote    func(location string) error

	mu   sync.Mutex
	open map[bucket.Options]*bucket.Bucket
}

func newBuckets(endpoint string, wrote func(string) error) *buckets {
	if wrote == nil {
		wrote = func(string) error { return nil }
	}
	return &buckets{endpoint: endpoint, wrote: wrote, open: map[bucket.Options]*bucket.Bucket{}}
}

// get returns a bucket, opened with the catalog's properties, such as credentials; nil is allowed.
func (s *buckets) get(ctx context.Context, name string, properties map[string]string) (*bucket.Bucket, error) {
	opts := bucket.Options{Bucket: name, Endpoint: s.endpoint}
	if key, secret := properties[iceio.S3AccessKeyID], properties[iceio.S3SecretAccessKey]; key != "" && secret != "" {
		opts.Credentials = bucket.Credentials{AccessKeyID: key, SecretAccessKey: secret, SessionToken: properties[iceio.S3SessionToken]}
	}
	opts.Endpoint = cmp.Or(opts.Endpoint, properties[iceio.S3EndpointURL])
	opts.Region = cmp.Or(properties[iceio.S3ClientRegion], properties[iceio.S3Region])
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.open[opts]; ok {
		return b, nil
	}
	b, err := bucket.Open(ctx, opts)
	if err == nil {
		s.open[opts] = b
	}
	return b, err
}

// Files reads and writes files by their locations, with the credentials that the catalog gave for one
// table.
type Files struct {
	ctx        context.Context // for iceberg-go's calls, which take no context
	buckets    *buckets
	properties map[string]string
}

// FilesOf returns the files of a table from a Catalog.
func FilesOf(ctx context.Context, t *table.Table) (*Files, error) {
	system, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	files, ok := system.(*Files)
	if !ok {
		return nil, fmt.Errorf("table %s has files of another kind, %T", strings.Join(t.Identifier(), "."), system)
	}
	return files, nil
}

var _ iceio.WriteFileIO = (*Files)(nil)
var _ iceio.ReadFileIO = (*Files)(nil)

// split returns the bucket and the key of a location. It also accepts Hadoop's schemes s3a and s3n.
func split(location string) (name, key string, err error) {
	for _, scheme := range []string{"s3://", "s3a://", "s3n://"} {
		if rest, ok := strings.CutPrefix(location, scheme); ok {
			if name, key, _ = strings.Cut(rest, "/"); name != "" && key != "" {
				return name, key, nil
			}
		}
	}
	return "", "", fmt.Errorf("%q is not a location in a bucket: datasync writes to s3:// only", location)
}

func (f *Files) at(ctx context.Context, location string) (*bucket.Bucket, string, error) {
	name, key, err := split(location)
	if err != nil {
		return nil, "", err
	}
	b, err := f.buckets.get(ctx, name, f.properties)
	return b, key, err
}

// Upload writes a local file to a location.
func (f *Files) Upload(ctx context.Context, location, local string, sent func(bytes int64)) error {
	b, key, err := f.at(ctx, location)
	if err != nil {
		return err
	}
	if err := f.buckets.wrote(location); err != nil {
		return err
	}
	return b.PutFile(ctx, key, local, bucket.PutOptions{Sent: sent})
}

// Exists reports whether a location has a file.
func (f *Files) Exists(ctx context.Context, location string) (bool, error) {
	b, key, err := f.at(ctx, location)
	if err != nil {
		return false, err
	}
	_, err = b.Head(ctx, key)
	if errors.Is(err, bucket.ErrMissing) {
		return false, nil
	}
	return err == nil, err
}

// File is a file in a listing.
type File struct {
	Location string
	Modified time.Time
}

// List calls visit with each file below a location.
func (f *Files) List(ctx context.Context, location string, visit func(File) error) error {
	b, prefix, err := f.at(ctx, strings.TrimSuffix(location, "/")+"/")
	if err != nil {
		return err
	}
	scheme, _, _ := strings.Cut(location, "://")
	for o, err := range b.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if err := visit(File{scheme + "://" + b.Name() + "/" + o.Key, o.Modified}); err != nil {
			return err
		}
	}
	return nil
}

// AbortUploads removes the parts of incomplete uploads below a location that wanted accepts by name and
// start time. It returns the number of removed uploads.
func (f *Files) AbortUploads(ctx context.Context, location string, wanted func(name string, began time.Time) bool) (int64, error) {
	b, prefix, err := f.at(ctx, strings.TrimSuffix(location, "/")+"/")
	if err != nil {
		return 0, err
	}
	return b.AbortUploads(ctx, prefix, func(key string, began time.Time) bool { return wanted(path.Base(key), began) })
}

// Delete deletes files, and accepts missing ones.
func (f *Files) Delete(ctx context.Context, locations ...string) error {
	keys := map[*bucket.Bucket][]string{}
	for _, location := range locations {
		b, key, err := f.at(ctx, location)
		if err != nil {
			return err
		}
		keys[b] = append(keys[b], key)
	}
	var errs []error
	for b, keys := range keys {
		errs = append(errs, b.Delete(ctx, keys...))
	}
	return errors.Join(errs...)
}

// ReadFile returns the content of a file.
func (f *Files) ReadFile(location string) ([]byte, error) {
	b, key, err := f.at(f.ctx, location)
	if err != nil {
		return nil, err
	}
	content, err := b.Get(f.ctx, key)
	return content, missing(err)
}

// missing maps ErrMissing to the error that iceberg-go expects.
func missing(err error) error {
	if errors.Is(err, bucket.ErrMissing) {
		return fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return err
}

// Open opens a file to read. It reads ranges of Parquet files, whose readers want some columns, and reads
// other files whole.
func (f *Files) Open(location string) (iceio.File, error) {
	if !strings.HasSuffix(location, ".parquet") {
		content, err := f.ReadFile(location)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: location, Err: err}
		}
		return &opened{SectionReader: io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content))), name: location}, nil
	}
	b, key, err := f.at(f.ctx, location)
	if err != nil {
		return nil, err
	}
	head, err := b.Head(f.ctx, key)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: location, Err: missing(err)}
	}
	parts := ranged{f.ctx, b, key}
	return &opened{SectionReader: io.NewSectionReader(parts, 0, head.Size), name: location, modified: head.Modified}, nil
}

type ranged struct {
	ctx context.Context
	b   *bucket.Bucket
	key string
}

func (r ranged) ReadAt(into []byte, offset int64) (int, error) {
	content, err := r.b.ReadRange(r.ctx, r.key, offset, int64(len(into)))
	n := copy(into, content)
	if err == nil && n < len(into) {
		err = io.EOF
	}
	return n, err
}

// opened is an open file.
type opened struct {
	*io.SectionReader
	name     string
	modified time.Time
}

func (o *opened) Close() error               { return nil }
func (o *opened) Stat() (fs.FileInfo, error) { return o, nil }
func (o *opened) Name() string               { return path.Base(o.name) }
func (o *opened) Mode() fs.FileMode          { return 0o444 }
func (o *opened) ModTime() time.Time         { return o.modified }
func (o *opened) IsDir() bool                { return false }
func (o *opened) Sys() any                   { return nil }

// Create returns a writer that buffers a small file and uploads it at Close.
func (f *Files) Create(location string) (iceio.FileWriter, error) {
	if _, _, err := split(location); err != nil {
		return nil, err
	}
	return &writer{files: f, location: location}, nil
}

type writer struct {
	bytes.Buffer
	files    *Files
	location string
	closed   bool
}

func (w *writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	return w.files.WriteFile(w.location, w.Bytes())
}

// WriteFile writes a small file.
func (f *Files) WriteFile(location string, content []byte) error {
	b, key, err := f.at(f.ctx, location)
	if err != nil {
		return err
	}
	if err := f.buckets.wrote(location); err != nil {
		return err
	}
	return b.Put(f.ctx, key, content, bucket.PutOptions{})
}

// Remove deletes a file.
func (f *Files) Remove(location string) error { return f.Delete(f.ctx, location) }
