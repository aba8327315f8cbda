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

// PutOptions says how an object is written.
type PutOptions struct {
	// IfAbsent fails with ErrExists if the key exists.
	IfAbsent bool
	// IfMatch replaces only an object with that ETag, as in Object, and fails with ErrExists if it is another
	// one by now. "" replaces any.
	IfMatch string
	// Sent is called with the number of bytes that have arrived since its last call. It may be called
	// by several goroutines at a time. nil is allowed.
	Sent func(bytes int64)
}

func (o *PutOptions) sent(bytes int64) {
	if o.Sent != nil {
		o.Sent(bytes)
	}
}

// conditional reports whether a put depends on the object that is there.
func (o *PutOptions) conditional() bool { return o.IfAbsent || o.IfMatch != "" }

// putKey is the metadata of an object that was written on a condition: a UUID of its own. It tells whether
// an object that exists is that of an attempt whose answer was lost.
const putKey = "datasync-put"

// Put writes an object. With a condition it fails with ErrExists, unless the object there is the one that it
// has written itself and whose answer was lost.
func (b *Bucket) Put(ctx context.Context, key string, content []byte, opts PutOptions) error {
	err := b.put(ctx, key, int64(len(content)), func() io.ReadSeeker { return bytes.NewReader(content) }, opts)
	if err != nil {
		return b.fail("write", key, err)
	}
	return nil
}

// PutFile is Put with the content of a file. It sends a large file in parts, several at a time; a failure
// leaves no parts.
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

// put writes an object in one request. content returns it anew for each attempt.
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

// isOwn returns nil if the object there is that of the put with the UUID own, else the error because of
// which it was asked. A failure of its own is tried again with the put.
func (b *Bucket) isOwn(ctx context.Context, key, own string, exists error) error {
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	switch {
	case err != nil && errors.Is(kindOf(err), ErrMissing):
		return fmt.Errorf("%w: the object was deleted meanwhile", exists)
	case err != nil:
		return err
	case head.Metadata[putKey] == own:
		return nil
	}
	return exists
}

func quoted(etag string) *string { return aws.String(`"` + etag + `"`) }

// contentType returns the type by the ending of the key, nil if it is not known.
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
