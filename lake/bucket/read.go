package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object describes an object.
type Object struct {
	Key string
	// Size is in bytes. ETag identifies the content, without quotes.
	Size     int64
	ETag     string
	Modified time.Time
}

// Get returns the content of an object. It fails with ErrMissing.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, error) {
	content, err := b.get(ctx, key, nil)
	if err != nil {
		return nil, b.fail("read", key, err)
	}
	return content, nil
}

// ReadRange returns length bytes of an object from an offset, or fewer at the object's end. It fails with
// ErrMissing.
func (b *Bucket) ReadRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	if length <= 0 {
		return nil, nil
	}
	content, err := b.get(ctx, key, aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)))
	if _, code := answer(err); code == "InvalidRange" {
		return nil, nil // the object ends before the offset
	}
	if err != nil {
		return nil, b.fail("read", key, err)
	}
	return content, nil
}

func (b *Bucket) get(ctx context.Context, key string, span *string) (content []byte, err error) {
	err = b.try(ctx, 0, func(ctx context.Context, _ bool) (err error) {
		got, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, Range: span})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, got.Body.Close()) }()
		if content, err = io.ReadAll(got.Body); err != nil {
			return err
		}
		if got.ContentLength != nil && *got.ContentLength != int64(len(content)) {
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	return content, err
}

// Head describes an object. It fails with ErrMissing.
func (b *Bucket) Head(ctx context.Context, key string) (Object, error) {
	var head *s3.HeadObjectOutput
	err := b.try(ctx, 0, func(ctx context.Context, _ bool) (err error) {
		head, err = b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
		return err
	})
	if err != nil {
		return Object{}, b.fail("look for", key, err)
	}
	return Object{key, aws.ToInt64(head.ContentLength), unquoted(head.ETag), aws.ToTime(head.LastModified)}, nil
}

// List yields the objects whose keys begin with a prefix, in the order of their keys. A failure ends the
// sequence, as its last element.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		input := s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix}
		for {
			var page *s3.ListObjectsV2Output
			err := b.try(ctx, 0, func(ctx context.Context, _ bool) (err error) {
				page, err = b.client.ListObjectsV2(ctx, &input)
				return err
			})
			if err != nil {
				yield(Object{}, b.fail("list", prefix, err))
				return
			}
			for _, o := range page.Contents {
				if !yield(Object{aws.ToString(o.Key), aws.ToInt64(o.Size), unquoted(o.ETag), aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) {
				return
			}
			input.ContinuationToken = page.NextContinuationToken
		}
	}
}

func unquoted(etag *string) string {
	s := aws.ToString(etag)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}
