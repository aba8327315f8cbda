package reader_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/reader"
)

// pull is a running pull whose copies are empty files.
type pull struct {
	path string
	made atomic.Int64
	fail error
}

func (p *pull) Changes() int64 { return p.made.Load() } // each copy is out of date at once

func (p *pull) Status(context.Context) (any, error) { return map[string]string{"from": "pull"}, p.fail }

func (p *pull) Snapshot(context.Context) (live.Snapshot, error) {
	n := p.made.Add(1)
	s := live.Snapshot{Path: fmt.Sprintf("%s.snapshot-%016x", p.path, n), Batch: n}
	return s, errors.Join(p.fail, os.WriteFile(s.Path, nil, 0o600))
}

// serve serves the readers of a new database until stop is called, or the test ends.
func serve(t *testing.T, fail error) (p *pull, stop func()) {
	t.Helper()
	runtime, err := os.MkdirTemp("/tmp", "reader") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	p = &pull{path: database(t), fail: fail}
	server, err := live.Listen(p.path, live.Folders(runtime, ""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); server.Serve(ctx, p) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return p, stop
}

// database makes a file that a test takes for a database.
func database(t *testing.T) string {
	t.Helper()
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "a.duckdb")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lock locks the database as a pull does, until the test ends.
func lock(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

func TestOpenWithoutAPull(t *testing.T) {
	path := database(t)
	var opened []string
	src, err := reader.Open(t.Context(), path, func(path string) error { opened = append(opened, path); return nil })
	if err != nil || src.Copy != nil || len(opened) != 1 || opened[0] != path {
		t.Errorf("%+v, %v, opened %q", src, err, opened)
	}
	src.Release()
	// The error of open is returned as it is, and not tried again.
	opened = nil
	failed := &model.FileError{Kind: dbfile.ErrMissing, Path: path}
	_, err = reader.Open(t.Context(), path+".none", func(path string) error { opened = append(opened, path); return failed })
	if !errors.Is(err, failed) || len(opened) != 1 {
		t.Errorf("%v, opened %q", err, opened)
	}
}

// TestOpenDuringAPull: the reader gets a copy, which is removed when it is released.
func TestOpenDuringAPull(t *testing.T) {
	p, _ := serve(t, nil)
	var opened string
	src, err := reader.Open(t.Context(), p.path, func(path string) error { opened = path; return nil })
	if err != nil || src.Copy == nil || src.Copy.Batch != 1 || opened != src.Copy.Path || !exists(opened) {
		t.Fatalf("%+v, %v, opened %q", src, err, opened)
	}
	src.Release()
	tick, limit := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for exists(opened) {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the copy was not removed")
		}
	}
}

// TestOpenWhileAPullEnds: if the copy is gone when it is opened, the reader opens the file.
func TestOpenWhileAPullEnds(t *testing.T) {
	p, stop := serve(t, nil)
	var opened []string
	src, err := reader.Open(t.Context(), p.path, func(path string) error {
		opened = append(opened, path)
		if path == p.path {
			return nil
		}
		stop()
		return &model.FileError{Kind: dbfile.ErrMissing, Path: path}
	})
	if err != nil || src.Copy != nil || len(opened) != 2 {
		t.Errorf("%+v, %v, opened %q", src, err, opened)
	}
}

// TestOpenALockedFile: where no pull holds the lock, another program does, and trying again is of
// no use.
func TestOpenALockedFile(t *testing.T) {
	path := database(t)
	tries := 0
	locked := &model.FileError{Kind: dbfile.ErrLocked, Path: path}
	if _, err := reader.Open(t.Context(), path, func(string) error { tries++; return locked }); !errors.Is(err, locked) || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

// TestRefusals: an error of the pull ends the reader with the pull's exit code and topic.
func TestRefusals(t *testing.T) {
	p, _ := serve(t, &model.FileError{Kind: dbfile.ErrNoRoomForCopy, Path: "a.duckdb"})
	_, err := reader.Open(t.Context(), p.path, func(string) error { t.Error("opened"); return nil })
	if got := model.ExitOf(err); got != (model.Exit{Code: model.ExitFile, Topic: "disk-full"}) {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestStatus(t *testing.T) {
	p, stop := serve(t, nil)
	var answer struct{ From string }
	read := 0
	file := func() error { read++; return nil }
	if asked, err := reader.Status(t.Context(), p.path, &answer, file); !asked || err != nil || answer.From != "pull" || read != 0 {
		t.Errorf("during a pull: asked %v, %v, %+v, read %d times", asked, err, answer, read)
	}
	stop()
	if asked, err := reader.Status(t.Context(), p.path, &answer, file); asked || err != nil || read != 1 {
		t.Errorf("after it: asked %v, %v, read %d times", asked, err, read)
	}
}

// TestWaitForAPullThatBegins: a reader waits for a pull that has the lock and no socket yet, until
// its deadline.
func TestWaitForAPullThatBegins(t *testing.T) {
	path := database(t)
	lock(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := reader.Open(ctx, path, func(string) error { t.Error("opened"); return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
