package main

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// errKilled is what operations end with after the one at which the process was killed.
var errKilled = errors.New("killed")

// killing is a store that is gone after so many operations: it calls leave then, and
// does nothing more.
type killing struct {
	*store.Store
	mu    sync.Mutex
	left  int
	leave func() error
	// before says that the last operation is not done any more, failed that leave did
	// not work.
	before bool
	failed error
}

var _ ingest.Store = (*killing)(nil)

// do carries an operation out, unless the process is gone.
func (k *killing) do(operation func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch k.left--; {
	case k.left < 0 || k.left == 0 && k.before:
		if k.left == 0 {
			k.failed = k.leave()
		}
		return errKilled
	case k.left == 0:
		err := operation()
		k.failed = k.leave()
		return errors.Join(err, errKilled)
	}
	return operation()
}

func (k *killing) OpenWindow(ctx context.Context, lower, floor sql.Null[store.Instant]) (c store.Checkpoint, err error) {
	err = k.do(func() error { c, err = k.Store.OpenWindow(ctx, lower, floor); return err })
	return c, err
}

func (k *killing) CommitBatch(ctx context.Context, b store.Batch) (done store.Committed, err error) {
	err = k.do(func() error { done, err = k.Store.CommitBatch(ctx, b); return err })
	return done, err
}

func (k *killing) Settle(ctx context.Context, run uuid.UUID, window int64) (done store.Settled, err error) {
	err = k.do(func() error { done, err = k.Store.Settle(ctx, run, window); return err })
	return done, err
}

func (k *killing) BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error {
	return k.do(func() error { return k.Store.BeginRun(ctx, id, began) })
}

func (k *killing) EndRun(ctx context.Context, r store.Run) error {
	return k.do(func() error { return k.Store.EndRun(ctx, r) })
}

func (k *killing) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	return k.do(func() error { return k.Store.SetNotBefore(ctx, endpoint, wait) })
}
