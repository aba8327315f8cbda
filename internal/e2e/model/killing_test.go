package model_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// errKilled is the error of an operation that was made to fail.
var errKilled = errors.New("killed")

// killing is a store of which one operation fails, and then all later ones, as if the process were
// killed, or with once no other.
type killing struct {
	*store.Store
	mu   sync.Mutex
	left int // operations until then
	once bool
	// before says that the operation fails before it did anything. Otherwise it is done and fails.
	before bool
	// leave is called at that moment, if it is not nil. failed is its error.
	leave  func() error
	failed error
}

var _ ingest.Store = (*killing)(nil)

func (k *killing) do(operation func() error) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch k.left--; {
	case k.left > 0 || k.left < 0 && k.once:
		return operation()
	case k.left < 0:
		return errKilled
	}
	if !k.before {
		err = operation()
	}
	if k.leave != nil {
		k.failed = k.leave()
	}
	return errors.Join(err, errKilled)
}

func (k *killing) Windows(ctx context.Context) (windows []model.Checkpoint, err error) {
	err = k.do(func() error { windows, err = k.Store.Windows(ctx); return err })
	return windows, err
}

func (k *killing) Deficit(ctx context.Context) (d model.Deficit, err error) {
	err = k.do(func() error { d, err = k.Store.Deficit(ctx); return err })
	return d, err
}

func (k *killing) SetDeficit(ctx context.Context, d model.Deficit) error {
	return k.do(func() error { return k.Store.SetDeficit(ctx, d) })
}

func (k *killing) Witness(ctx context.Context) (w model.Witness, err error) {
	err = k.do(func() error { w, err = k.Store.Witness(ctx); return err })
	return w, err
}

func (k *killing) FailRun(ctx context.Context, window int64) error {
	return k.do(func() error { return k.Store.FailRun(ctx, window) })
}

func (k *killing) NotBefore(ctx context.Context) (opens map[string]time.Time, err error) {
	err = k.do(func() error { opens, err = k.Store.NotBefore(ctx); return err })
	return opens, err
}

func (k *killing) OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (c model.Checkpoint, err error) {
	err = k.do(func() error { c, err = k.Store.OpenWindow(ctx, lower, floor); return err })
	return c, err
}

// StartBatch commits the batch before it returns, so it is one operation.
func (k *killing) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	var done model.Committed
	err := k.do(func() (err error) { done, err = k.CommitBatch(ctx, b); return err })
	return func() (model.Committed, error) { return done, err }
}

func (k *killing) Split(ctx context.Context, window int64, border model.Instant) (part model.Checkpoint, err error) {
	err = k.do(func() error { part, err = k.Store.Split(ctx, window, border); return err })
	return part, err
}

func (k *killing) Merge(ctx context.Context, window int64, parts ...int64) error {
	return k.do(func() error { return k.Store.Merge(ctx, window, parts...) })
}

func (k *killing) MergeAndRestart(ctx context.Context, window int64, parts ...int64) error {
	return k.do(func() error { return k.Store.MergeAndRestart(ctx, window, parts...) })
}

func (k *killing) Finalize(ctx context.Context, run uuid.UUID, window int64) (done model.Finalized, err error) {
	err = k.do(func() error { done, err = k.Store.Finalize(ctx, run, window); return err })
	return done, err
}

func (k *killing) BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error {
	return k.do(func() error { return k.Store.BeginRun(ctx, id, began) })
}

func (k *killing) EndRun(ctx context.Context, r model.Run) error {
	return k.do(func() error { return k.Store.EndRun(ctx, r) })
}

func (k *killing) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	return k.do(func() error { return k.Store.SetNotBefore(ctx, endpoint, wait) })
}
