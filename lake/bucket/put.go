package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
)

// PutOptions says how Put and PutFile write an object.
type PutOptions struct {
	// IfAbsent fails with ErrExists if the key exists.
	IfAbsent bool
	// IfMatch replaces only an object with that ETag, as in Object. It fails with ErrExists if the ETag has
	// changed. "" replaces any object.
	IfMatch string
	// Sent receives the number of bytes sent since its last call. Several goroutines may call it at a time.
	// nil is allowed.
	Sent func(bytes int64)
}

func (o *PutOptions) sent(bytes int64) {
	if o.Sent != nil {
		o.Sent(bytes)
	}
}

// conditional reports whether a put depends on the existing object.
func (o *PutOptions) conditional() bool { return o.IfAbsent || o.IfMatch != "" }

// putKey is the metadata key for the UUID of a conditional put. By it, a put recognizes its own object
// after a lost response.
const putKey = "datasync-put"

// Put writes an object. A conditional put fails with ErrExists, unless it wrote the existing object itself
// and lost the response.
func (b *Bucket) Put(ctx context.Context, key string, content []byte, opts PutOptions) error {
	err := b.put(ctx, key, int64(len(content)), func() io.ReadSeeker { return bytes.NewReader(content) }, opts)
	if err != nil {
		return b.fail("write", key, err)
	}
	return nil
}

// PutFile is Put with the content of a file. It sends a large file in parallel parts, and deletes them on
// failure.
func (b *Bucket) PutFile(ctx context.Context, key, file string, opts PutOptions) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > singlePut {
		err = b.putParts(ctx, key, f, info.Size(), opts)
	} else {
		err = b.put(ctx, key, info.Size(), func() io.ReadSeeker { return io.NewSectionReader(f, 0, info.Size()) }, opts)
	}
	if err != nil {
		return b.fail("write", key, err)
	}
	return nil
}

// put writes an object in one request. content opens the content again for each attempt.
func (b *Bucket) put(ctx context.Context, key string, size int64, content func() io.ReadSeeker, opts PutOptions) error {
	input := s3.PutObjectInput{Bucket: &b.name, Key: &key, ContentLength: &size, ContentType: contentType(key)}
	own := uuid.NewString()
	if opts.conditional() {
		input.Metadata = map[string]string{putKey: own}
	}
	switch {
	case opts.IfAbsent:
		input.IfNoneMatch = aws.String("*")
	case opts.IfMatch != "":
		input.IfMatch = quoted(opts.IfMatch)
	}
	err := b.try(ctx, size, func(ctx context.Context, lost bool) error {
		attempt := input
		attempt.Body = content()
		_, err := b.client.PutObject(ctx, &attempt)
		if lost && errors.Is(kindOf(err), ErrExists) && err != nil {
			return b.isOwn(ctx, key, own, err)
		}
		return err
	})
	if err == nil {
		opts.sent(size)
	}
	return err
}

// isOwn returns nil if the put with the UUID own wrote the existing object, and else the error exists. If
// isOwn itself fails, the caller retries the put.
func (b *Bucket) isOwn(ctx context.Context, key, own string, exists error) error {
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	switch {
	case err != nil && errors.Is(kindOf(err), ErrMissing):
		return fmt.Errorf("%w: another process deleted the object", exists)
	case err != nil:
		return err
	case head.Metadata[putKey] == own:
		return nil
	}
	return exists
}

func quoted(etag string) *string { return aws.String(`"` + etag + `"`) }

// contentType returns the media type for the extension of the key, or nil.
func contentType(key string) *string {
	switch ending := path.Ext(key); ending {
	case ".parquet":
		return aws.String("application/vnd.apache.parquet")
	case ".jsonl":
		return aws.String("application/x-ndjson")
	case ".csv", ".json", ".gz":
		return aws.String(mime.TypeByExtension(ending))
	}
	return nil
}
