package export

import (
	"context"
	"errors"
	"syscall"
)

// Run exports. It fails with ErrOptions, ErrHistory, outfile.ErrTarget, owned.ErrUntrusted, or an error
// of inspect.OpenSession; the target is then as it was.
func Run(ctx context.Context, opts Options) (Result, error) {
	if err := opts.complete(); err != nil {
		return Result{}, err
	}
	if opts.Incremental {
		if a, err := openAddition(&opts); err != nil {
			return Result{}, err
		} else if a != nil {
			return a.run(ctx)
		}
	}
	to, err := newTarget(&opts)
	if err != nil {
		return Result{}, err
	}
	result, err := exportTo(ctx, &opts, to)
	if opts.Stdout != nil && errors.Is(err, syscall.EPIPE) {
		return Result{Broken: true}, nil
	}
	return result, err
}

// newTarget makes the target that the options ask for, if it is not an addition.
func newTarget(opts *Options) (target, error) {
	opts.Types = opts.typesOf("", false)
	switch {
	case opts.Stdout != nil:
		return newStdoutTarget(opts)
	case opts.IsFolder():
		return newFolderTarget(opts)
	}
	return newFileTarget(opts)
}
