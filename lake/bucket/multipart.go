package bucket

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	// singlePut is the size in bytes up to which one request sends a file.
	singlePut = 32 << 20
	// partSize is the size of a part in bytes. Parts are larger where a file would need more than maxParts.
	partSize = 16 << 20
	maxParts = 10_000
	// partsAtOnce is the number of parts sent in parallel. Each part streams from the file.
	partsAtOnce = 4
	// abortTime bounds the deletion of a failed upload's parts, also after a signal.
	abortTime = 10 * time.Second
)

// putParts writes an object in parts, and removes them if it fails.
func (b *Bucket) putParts(ctx context.Context, key string, f *os.File, size int64, opts PutOptions) error {
	own := uuid.NewString()
	var upload *s3.CreateMultipartUploadOutput
	err := b.try(ctx, 0, func(ctx context.Context, _ bool) (err error) {
		upload, err = b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &b.name, Key: &key, ContentType: contentType(key), Metadata: map[string]string{putKey: own},
		})
		return err
	})
	if err != nil {
		return err
	}
	parts, err := b.sendParts(ctx, key, *upload.UploadId, f, size, opts)
	if err == nil {
		err = b.complete(ctx, key, own, parts, *upload.UploadId, &opts)
	}
	if err != nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		_ = b.abort(limited, key, *upload.UploadId) // the next sweep removes the rest
	}
	return err
}

func (b *Bucket) sendParts(ctx context.Context, key, upload string, f *os.File, size int64, opts PutOptions) ([]types.CompletedPart, error) {
	length := max(partSize, (size+maxParts-1)/maxParts)
	parts := make([]types.CompletedPart, (size+length-1)/length)
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.SetLimit(partsAtOnce)
	for i := range parts {
		tasks.Go(func() error {
			begin := int64(i) * length
			n, number := min(length, size-begin), int32(i+1)
			err := b.try(ctx, n, func(ctx context.Context, _ bool) error {
				done, err := b.client.UploadPart(ctx, &s3.UploadPartInput{
					Bucket: &b.name, Key: &key, UploadId: &upload, PartNumber: &number,
					Body: io.NewSectionReader(f, begin, n), ContentLength: &n,
				})
				if err == nil {
					parts[i] = types.CompletedPart{ETag: done.ETag, PartNumber: &number, ChecksumCRC32: done.ChecksumCRC32}
				}
				return err
			})
			if err == nil {
				opts.sent(n)
			}
			return err
		})
	}
	return parts, tasks.Wait()
}

// complete joins the parts to an object. A service forgets a completed upload. So after a lost response,
// complete looks for the object.
func (b *Bucket) complete(ctx context.Context, key, own string, parts []types.CompletedPart, upload string, opts *PutOptions) error {
	input := s3.CompleteMultipartUploadInput{
		Bucket: &b.name, Key: &key, UploadId: &upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	switch {
	case opts.IfAbsent:
		input.IfNoneMatch = aws.String("*")
	case opts.IfMatch != "":
		input.IfMatch = quoted(opts.IfMatch)
	}
	return b.try(ctx, 0, func(ctx context.Context, lost bool) error {
		_, err := b.client.CompleteMultipartUpload(ctx, &input)
		if _, code := answer(err); lost && err != nil && (code == "NoSuchUpload" || errors.Is(kindOf(err), ErrExists)) {
			return b.isOwn(ctx, key, own, err)
		}
		return err
	})
}

func (b *Bucket) abort(ctx context.Context, key, upload string) error {
	return b.try(ctx, 0, func(ctx context.Context, _ bool) error {
		_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: &upload})
		if _, code := answer(err); code == "NoSuchUpload" {
			return nil
		}
		return err
	})
}

// AbortUploads removes the parts of incomplete uploads, which killed processes leave. It takes those below
// a prefix that wanted accepts by key and start time. It returns the number of removed uploads.
func (b *Bucket) AbortUploads(ctx context.Context, prefix string, wanted func(key string, began time.Time) bool) (removed int64, err error) {
	input := s3.ListMultipartUploadsInput{Bucket: &b.name, Prefix: &prefix}
	for {
		var page *s3.ListMultipartUploadsOutput
		err := b.try(ctx, 0, func(ctx context.Context, _ bool) (err error) {
			page, err = b.client.ListMultipartUploads(ctx, &input)
			return err
		})
		if err != nil {
			return removed, b.fail("list unfinished uploads below", prefix, err)
		}
		for _, u := range page.Uploads {
			key := aws.ToString(u.Key)
			if !wanted(key, aws.ToTime(u.Initiated)) {
				continue
			}
			if err := b.abort(ctx, key, aws.ToString(u.UploadId)); err != nil {
				return removed, b.fail("remove an unfinished upload of", key, err)
			}
			removed++
		}
		if !aws.ToBool(page.IsTruncated) {
			return removed, nil
		}
		input.KeyMarker, input.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}
