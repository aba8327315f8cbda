package bucket

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// CheckConditional puts one key below a prefix twice, with IfAbsent, and deletes it. It fails with
// ErrUnconditional if the service replaces the first object: two commits could then both succeed.
func (b *Bucket) CheckConditional(ctx context.Context, prefix string) error {
	key := Join(prefix, ".datasync-check-"+uuid.NewString())
	if err := b.Put(ctx, key, []byte("1"), PutOptions{IfAbsent: true}); err != nil {
		return err
	}
	err := b.Put(ctx, key, []byte("2"), PutOptions{IfAbsent: true})
	switch errDelete := b.Delete(ctx, key); {
	case errors.Is(err, ErrExists):
		return errDelete
	case err == nil:
		return errors.Join(b.fail("write", key, ErrUnconditional), errDelete)
	default:
		return errors.Join(err, errDelete)
	}
}
