package web

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/reader"
	"datasync/internal/report/figures"
)

// Source is where the data of a page come from.
type Source interface {
	// Use calls do with the path of the file, or of a copy of it, which do opens only for reading. If a pull
	// wants the file meanwhile, the context of do ends, and do is called again with a copy.
	Use(ctx context.Context, do func(ctx context.Context, path string) error) error
	// Standing returns what the pull does; its zero value says that none runs.
	Standing(ctx context.Context) (Standing, error)
	// Windows returns the windows of a pull of this process. It is not called without counters.
	Windows(ctx context.Context) ([]figures.Window, error)
	// Edition returns a text that differs once the file has changed.
	Edition() string
}

// ErrWanted is the cause with which the context of Source.Use ends when a pull wants the file.
var ErrWanted = model.NewFailure(model.ExitFile, "locked", "a pull asked for the file")

// watchPause is the time between two looks for a pull that wants the file: it waits longer than a second.
const watchPause = 100 * time.Millisecond

// UseFile is Source.Use for the file that name names, or the copy that a running pull lends.
func UseFile(ctx context.Context, name string, do func(ctx context.Context, path string) error) error {
	const tries = 5 // a pull takes the file once
	for n := 1; ; n++ {
		err := useOnce(ctx, name, do)
		if !errors.Is(err, ErrWanted) || ctx.Err() != nil || n == tries {
			return err
		}
	}
}

func useOnce(ctx context.Context, name string, do func(ctx context.Context, path string) error) error {
	file, _, err := dbfile.Resolve(name)
	if err != nil {
		return err
	}
	src, err := reader.Open(ctx, name, func(path string) error {
		if path != file {
			return do(ctx, path)
		}
		held, release := holding(ctx, file)
		defer release()
		err := do(held, path)
		if err != nil && errors.Is(context.Cause(held), ErrWanted) {
			return ErrWanted
		}
		return err
	})
	if err == nil {
		src.Release()
	}
	return err
}

// holding returns a context that ends with ErrWanted when a pull wants the file, until release is called.
func holding(ctx context.Context, file string) (held context.Context, release func()) {
	held, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if recover() != nil {
				cancel(ErrWanted) // a pull never waits because of a page
			}
		}()
		tick := time.NewTicker(watchPause)
		defer tick.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			if wanted, err := dbfile.Pulling(file); wanted && err == nil {
				cancel(ErrWanted)
				return
			}
		}
	}()
	return held, func() { cancel(nil); <-ended }
}

// EditionOf is Source.Edition for the file that name names.
func EditionOf(name string) string {
	file, _, err := dbfile.Resolve(name)
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, each := range []string{file, file + ".wal"} {
		if info, err := os.Stat(each); err == nil {
			b.WriteString(info.ModTime().UTC().Format(time.RFC3339Nano) + " ")
		}
		b.WriteString(";")
	}
	return b.String()
}
