package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync"

	"datasync/internal/model"

	"datasync/lake/bucket"

	"golang.org/x/sync/errgroup"
)

// ErrTarget means that the target of an upload exists.
var ErrTarget = model.NewFailure(model.ExitUsage, "", "the target exists")

// upload copies an export to a bucket: data first and the manifest last, so that a reader of the
// manifest finds all that it names.
func upload(ctx context.Context, plan model.LakePlan, opts Options) (*model.LakeResult, error) {
	u := plan.Upload
	name, key, err := bucket.ParseURL(u.Target)
	if err != nil {
		return nil, err
	}
	if len(u.Files) == 0 {
		return nil, errors.New("the plan names no file to upload")
	}
	b, err := bucket.Open(ctx, bucket.Options{Bucket: name, Endpoint: plan.Endpoint})
	if err != nil {
		return nil, err
	}
	result := &model.LakeResult{}
	for _, file := range u.Files {
		info, err := os.Stat(filepath.Join(plan.Staging, filepath.FromSlash(file)))
		if err != nil {
			return nil, err
		}
		result.Bytes += info.Size()
	}
	var mu sync.Mutex
	var done int64
	sent := func(bytes int64) {
		mu.Lock()
		defer mu.Unlock()
		if done += bytes; opts.Progress != nil {
			opts.Progress(model.LakeProgress{Step: "upload", Done: min(done, result.Bytes), Total: result.Bytes})
		}
	}
	put := func(ctx context.Context, file string) error {
		target := key
		if len(u.Files) > 1 || path.Base(key) != path.Base(file) && path.Ext(key) == "" {
			target = bucket.Join(key, file)
		}
		err := b.PutFile(ctx, target, filepath.Join(plan.Staging, filepath.FromSlash(file)), bucket.PutOptions{IfAbsent: !u.Replace, Sent: sent})
		if errors.Is(err, bucket.ErrExists) {
			return fmt.Errorf("%w: s3://%s/%s; add --force to replace it", ErrTarget, name, target)
		}
		return err
	}
	last := len(u.Files) - 1
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for _, file := range u.Files[:last] {
		group.Go(func() error { return put(sending, file) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := put(ctx, u.Files[last]); err != nil {
		return nil, err
	}
	result.Files = int64(len(u.Files))
	return result, nil
}
