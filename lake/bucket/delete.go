package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// deleteAtOnce is the number of objects that a service deletes in one request.
const deleteAtOnce = 1000

// Delete deletes objects. It accepts a key without an object.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for some := range slices.Chunk(keys, deleteAtOnce) {
		if len(some) == 1 {
			if err := b.deleteOne(ctx, some[0]); err != nil {
				return err
			}
			continue
		}
		if err := b.deleteSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) deleteOne(ctx context.Context, key string) error {
	err := b.try(ctx, 0, func(ctx context.Context, _ bool) error {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
		return err
	})
	if err != nil && !errors.Is(kindOf(err), ErrMissing) {
		return b.fail("delete", key, err)
	}
	return nil
}

func (b *Bucket) deleteSome(ctx context.Context, keys []string) error {
	left := keys
	err := b.try(ctx, 0, func(ctx context.Context, _ bool) error {
		ids := make([]types.ObjectIdentifier, len(left))
		for i := range left {
			ids[i].Key = &left[i]
		}
		done, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return err
		}
		var failed []string
		for _, e := range done.Errors {
			if code := aws.ToString(e.Code); code != "NoSuchKey" {
				failed = append(failed, aws.ToString(e.Key))
				err = &smithy.GenericAPIError{Code: code, Message: aws.ToString(e.Message)}
			}
		}
		if err != nil {
			left = failed
		}
		return err
	})
	switch status, code := answer(err); {
	case err == nil:
		return nil
	case status == http.StatusNotImplemented || code == "NotImplemented" || code == "MethodNotAllowed":
		for _, key := range left { // Google Cloud Storage deletes one object a request
			if err := b.deleteOne(ctx, key); err != nil {
				return err
			}
		}
		return nil
	}
	return b.fail(fmt.Sprintf("delete %d objects, starting with", len(left)), left[0], err)
}
