package upload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"datasync/internal/model"

	"datasync/lake/bucket"

	"golang.org/x/sync/errgroup"
)

// The kinds of errors, to be tested with errors.Is.
var (
	// ErrTarget: the target exists, or it is not an export.
	ErrTarget = model.NewFailure(model.ExitError, "lake", "the target cannot be written")
	// ErrPlan: the plan is invalid.
	ErrPlan = model.NewFailure(model.ExitError, "lake", "the plan cannot be carried out")
)

const (
	// atOnce is the number of parallel uploads. Each streams its file.
	atOnce = 4
	// cleanTime bounds the cleanup of a failed upload, also after a signal.
	cleanTime = 10 * time.Second
)

// upload is one upload.
type upload struct {
	bucket *bucket.Bucket
	plan   *model.LakePlan
	target target
	result model.LakeResult
	report func(model.LakeProgress)
	// mu guards done, and calls of report.
	mu   sync.Mutex
	done int64
}

// Do executes the plan of an upload. Without files, it only checks that it may write the target. One
// goroutine at a time calls report. It fails with ErrTarget, ErrPlan or the errors of package bucket.
func Do(ctx context.Context, plan *model.LakePlan, report func(model.LakeProgress)) (*model.LakeResult, error) {
	t, err := newTarget(plan.Upload)
	if err != nil {
		return nil, err
	}
	u := &upload{plan: plan, target: t, report: report}
	if u.bucket, err = bucket.Open(ctx, bucket.Options{Bucket: t.bucket, Endpoint: plan.Endpoint}); err != nil {
		return nil, err
	}
	for _, f := range plan.Upload.Files {
		info, err := os.Stat(u.local(f))
		if err != nil {
			return nil, err
		}
		u.result.Bytes += info.Size()
	}
	u.result.Files = int64(len(plan.Upload.Files))
	do := u.folder
	switch {
	case t.manifest == "":
		do = u.file
	case len(plan.Upload.Files) == 0:
		do = func(ctx context.Context) error {
			_, err := u.check(ctx)
			return err
		}
	}
	if err := do(ctx); err != nil {
		return nil, err
	}
	return &u.result, nil
}

// local returns the path of a file of the plan.
func (u *upload) local(file string) string {
	return filepath.Join(u.plan.Staging, filepath.FromSlash(file))
}

// sent reports uploaded bytes.
func (u *upload) sent(bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done += bytes
	if u.report != nil {
		u.report(model.LakeProgress{Step: "upload", Done: min(u.done, u.result.Bytes), Total: u.result.Bytes})
	}
}

// exists is the error for an existing target without Replace.
func (u *upload) exists(key string) error {
	return fmt.Errorf("%w: s3://%s/%s exists; give --force to replace it", ErrTarget, u.target.bucket, key)
}

// file uploads a single file, atomically.
func (u *upload) file(ctx context.Context) error {
	key := u.target.key
	// This finds an existing target or a missing bucket before it uploads gigabytes. Without permission to
	// read, the upload itself finds them.
	switch _, err := u.bucket.ReadRange(ctx, key, 0, 1); {
	case err == nil && !u.plan.Upload.Replace:
		return u.exists(key)
	case err != nil && !errors.Is(err, bucket.ErrMissing) && !errors.Is(err, bucket.ErrDenied):
		return err
	case len(u.plan.Upload.Files) == 0:
		return nil
	}
	err := u.bucket.PutFile(ctx, key, u.local(u.plan.Upload.Files[0]), bucket.PutOptions{IfAbsent: !u.plan.Upload.Replace, Sent: u.sent})
	if errors.Is(err, bucket.ErrExists) {
		return u.exists(key)
	}
	if err != nil {
		return err
	}
	return u.abort(ctx, key, func(other string) bool { return other == key })
}

// abort removes the parts of killed uploads. A service that cannot list parts keeps none.
func (u *upload) abort(ctx context.Context, prefix string, wanted func(key string) bool) error {
	removed, err := u.bucket.AbortUploads(ctx, prefix, func(key string, _ time.Time) bool { return wanted(key) })
	u.result.Removed += removed
	if errors.Is(err, bucket.ErrDenied) {
		return nil // listing uploads requires a separate permission
	}
	return err
}

// check returns the folder's export, or nil. It fails with ErrTarget unless the plan may replace it.
func (u *upload) check(ctx context.Context) (*state, error) {
	before, err := u.readState(ctx)
	if err != nil {
		return nil, err
	}
	return before, u.checkFree(ctx, before)
}

// folder uploads the files of a folder, then its manifest.
func (u *upload) folder(ctx context.Context) (err error) {
	before, err := u.check(ctx)
	if err != nil {
		return err
	}
	own := newMarker(before)
	if err := u.writeMarker(ctx, &own); err != nil {
		return err
	}
	text, err := u.sendData(ctx, own.tag)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(err, u.clean(ctx, &own))
	}
	// From here on, the manifest may name the uploaded files, so a failure must not remove them.
	switch err := u.bucket.Put(ctx, u.target.manifest, text, u.condition(before)); {
	case errors.Is(err, bucket.ErrExists):
		return errors.Join(fmt.Errorf("%w: s3://%s/%s has changed: another export wrote it; run this export again", ErrTarget, u.target.bucket, u.target.manifest), u.clean(ctx, &own))
	case err != nil:
		return err
	}
	u.sent(u.result.Bytes) // new names change the size of the manifest
	return u.sweep(ctx, text)
}

// condition requires that the manifest has not changed since readState.
func (u *upload) condition(before *state) bucket.PutOptions {
	if before == nil {
		return bucket.PutOptions{IfAbsent: true}
	}
	return bucket.PutOptions{IfMatch: before.etag}
}

// sendData uploads all files except the manifest. It returns the manifest with their new names.
func (u *upload) sendData(ctx context.Context, tag string) ([]byte, error) {
	files := u.plan.Upload.Files
	text, err := os.ReadFile(u.local(files[len(files)-1]))
	if err != nil {
		return nil, err
	}
	sending, inner := errgroup.WithContext(ctx)
	sending.SetLimit(atOnce)
	for _, f := range files[:len(files)-1] {
		name := u.target.inFolder(f)
		if text, err = renameIn(text, name, tagged(name, tag)); err != nil {
			break
		}
		sending.Go(func() error {
			return u.bucket.PutFile(inner, u.target.object(tagged(name, tag)), u.local(f), bucket.PutOptions{Sent: u.sent})
		})
	}
	return text, errors.Join(err, sending.Wait())
}

// clean removes the objects of this upload within cleanTime. The next upload removes the rest.
func (u *upload) clean(ctx context.Context, own *marker) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	err := u.remove(limited, []marker{*own}, nil)
	if err != nil && limited.Err() != nil {
		return nil
	}
	return err
}
