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
	// ErrTarget: the target exists, or is no target of an export.
	ErrTarget = model.NewFailure(model.ExitError, "lake", "the target cannot be written")
	// ErrPlan: the plan is not one.
	ErrPlan = model.NewFailure(model.ExitError, "lake", "the plan cannot be carried out")
)

const (
	// atOnce is how many files are sent at a time. They are read as they are sent.
	atOnce = 4
	// cleanTime is how long a failed upload may take to remove what it has sent, also after a signal.
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

// Do carries out a plan for an upload. A plan without files only checks that the target can be written. report is called by one goroutine at a time. It fails with ErrTarget,
// ErrPlan or the errors of package bucket.
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

// sent reports bytes that have arrived.
func (u *upload) sent(bytes int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done += bytes
	if u.report != nil {
		u.report(model.LakeProgress{Step: "upload", Done: min(u.done, u.result.Bytes), Total: u.result.Bytes})
	}
}

// exists is the error for a target that must not be replaced.
func (u *upload) exists(key string) error {
	return fmt.Errorf("%w: s3://%s/%s exists; give --force to replace it", ErrTarget, u.target.bucket, key)
}

// file uploads a single file, which appears in one step.
func (u *upload) file(ctx context.Context) error {
	key := u.target.key
	// A target that exists, or a bucket that does not, is known before gigabytes are sent. Without the
	// permission to read, the write will tell.
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

// abort removes the parts that killed uploads have left. A service that cannot list them keeps none.
func (u *upload) abort(ctx context.Context, prefix string, wanted func(key string) bool) error {
	removed, err := u.bucket.AbortUploads(ctx, prefix, func(key string, _ time.Time) bool { return wanted(key) })
	u.result.Removed += removed
	if errors.Is(err, bucket.ErrDenied) {
		return nil // to list uploads is a permission of its own
	}
	return err
}

// check returns the export that the folder has, nil if there is none. It fails with ErrTarget unless it may be
// replaced.
func (u *upload) check(ctx context.Context) (*state, error) {
	before, err := u.readState(ctx)
	if err != nil {
		return nil, err
	}
	return before, u.checkFree(ctx, before)
}

// folder uploads the files of a folder, and its manifest last.
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
	// From here on nothing of this upload may be removed: the manifest may name it.
	switch err := u.bucket.Put(ctx, u.target.manifest, text, u.condition(before)); {
	case errors.Is(err, bucket.ErrExists):
		return errors.Join(fmt.Errorf("%w: s3://%s/%s was written meanwhile by another export; run it again", ErrTarget, u.target.bucket, u.target.manifest), u.clean(ctx, &own))
	case err != nil:
		return err
	}
	u.sent(u.result.Bytes) // a manifest with new names has another size
	return u.sweep(ctx, text)
}

// condition is that the manifest is still the one that was read.
func (u *upload) condition(before *state) bucket.PutOptions {
	if before == nil {
		return bucket.PutOptions{IfAbsent: true}
	}
	return bucket.PutOptions{IfMatch: before.etag}
}

// sendData sends all files but the manifest. It returns the text of the manifest with their new names.
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

// clean removes what this upload has sent, as far as there is time. The next upload removes the rest.
func (u *upload) clean(ctx context.Context, own *marker) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	err := u.remove(limited, []marker{*own}, nil)
	if err != nil && limited.Err() != nil {
		return nil
	}
	return err
}
