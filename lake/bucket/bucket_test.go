package bucket_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/lake/bucket"
	"datasync/lake/laketest"
)

const name = "lake"

// open opens a bucket at an endpoint.
func open(t *testing.T, endpoint string) *bucket.Bucket {
	t.Helper()
	laketest.Environment(t)
	b, err := bucket.Open(t.Context(), bucket.Options{Bucket: name, Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// file writes a file of that many bytes.
func file(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
	path = filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func everything(string, time.Time) bool { return true }

func keys(t *testing.T, b *bucket.Bucket, prefix string) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestMain(m *testing.M) { os.Exit(laketest.Main(m)) }

// onEach runs a test on each kind of server. The bucket may have objects of earlier tests.
func onEach(t *testing.T, test func(t *testing.T, b *bucket.Bucket)) {
	for server, start := range map[string]func(*testing.T) laketest.Server{"versitygw": laketest.Versity, "weed": laketest.Weed} {
		t.Run(server, func(t *testing.T) { test(t, open(t, start(t).S3)) })
	}
}

func TestObjects(t *testing.T) { onEach(t, objects) }

func objects(t *testing.T, b *bucket.Bucket) {
	ctx := t.Context()
	if _, err := b.Get(ctx, "a/none"); !errors.Is(err, bucket.ErrMissing) || !strings.Contains(err.Error(), "s3://lake/a/none") {
		t.Errorf("reading no object: %v", err)
	}
	if _, err := b.Head(ctx, "a/none"); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("looking for no object: %v", err)
	}
	for _, key := range []string{"a/one", "a/type=é x/two", "b"} {
		if err := b.Put(ctx, key, []byte("content of "+key), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Get(ctx, "a/type=é x/two")
	if err != nil || string(got) != "content of a/type=é x/two" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range []struct {
		offset, length int64
		want           string
	}{{0, 7, "content"}, {8, 100, "of a/one"}, {100, 10, ""}, {3, 0, ""}} {
		if got, err := b.ReadRange(ctx, "a/one", c.offset, c.length); err != nil || string(got) != c.want {
			t.Errorf("%d bytes from %d on: %q, %v, want %q", c.length, c.offset, got, err, c.want)
		}
	}
	if got := keys(t, b, "a/"); len(got) != 2 {
		t.Errorf("keys %q", got)
	}
	head, err := b.Head(ctx, "a/one")
	if err != nil || head.Size != 16 || strings.Contains(head.ETag, `"`) || head.ETag == "" {
		t.Errorf("head %+v, %v", head, err)
	}
	if err := b.Put(ctx, "a/one", []byte("new"), bucket.PutOptions{IfMatch: head.ETag}); err != nil {
		t.Errorf("replacing the object that was read: %v", err)
	}
	if err := b.Put(ctx, "a/one", []byte("newer"), bucket.PutOptions{IfMatch: head.ETag}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("replacing an object that has changed: %v", err)
	}
	if err := b.Delete(ctx, "a/one", "a/type=é x/two", "a/none"); err != nil {
		t.Error(err)
	}
	if err := b.Delete(ctx, "none"); err != nil {
		t.Error(err)
	}
	if got := keys(t, b, "b"); len(got) != 1 || got[0] != "b" {
		t.Errorf("keys %q", got)
	}
	if err := b.CheckConditional(ctx, "a"); err != nil {
		t.Error(err)
	}
	if got := keys(t, b, "a"); len(got) != 0 {
		t.Errorf("the check left %q", got)
	}
}

// TestRaces: of many concurrent writers of one key, exactly one succeeds.
func TestRaces(t *testing.T) { onEach(t, races) }

func races(t *testing.T, b *bucket.Bucket) {
	for round := range 10 {
		key := fmt.Sprint("v", round, ".json")
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				switch err := b.Put(t.Context(), key, []byte(fmt.Sprint("writer ", i)), bucket.PutOptions{IfAbsent: true}); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, bucket.ErrExists):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d writers were first", won.Load())
		}
	}
}

// TestFiles uploads small and large files to a service that fails 3 of 10 requests.
func TestFiles(t *testing.T) {
	proxy := laketest.NewProxy(t, laketest.Versity(t).S3, laketest.Lossy(1, laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer, laketest.TimeOut))
	b := open(t, proxy.URL)
	for _, size := range []int{0, 1, 1 << 20, 70 << 20} {
		path, content := file(t, size)
		for _, opts := range []bucket.PutOptions{{}, {IfAbsent: true}} {
			key := fmt.Sprint("f", size, opts.IfAbsent)
			var sent atomic.Int64
			opts.Sent = func(n int64) { sent.Add(n) }
			if err := b.PutFile(t.Context(), key, path, opts); err != nil {
				t.Errorf("%d bytes: %v", size, err)
				continue
			}
			if got, err := b.Get(t.Context(), key); err != nil || !bytes.Equal(got, content) || sent.Load() != int64(size) {
				t.Errorf("%d bytes: got %d, %d reported, %v", size, len(got), sent.Load(), err)
			}
			if err := b.PutFile(t.Context(), key, path, bucket.PutOptions{IfAbsent: true}); !errors.Is(err, bucket.ErrExists) {
				t.Errorf("%d bytes a second time: %v", size, err)
			}
		}
	}
	if proxy.Count(laketest.LoseAnswer) == 0 {
		t.Error("no answer was lost")
	}
}

// TestParts uploads a file in parts, with a condition.
func TestParts(t *testing.T) { onEach(t, parts) }

func parts(t *testing.T, b *bucket.Bucket) {
	path, content := file(t, 40<<20)
	if err := b.PutFile(t.Context(), "parts", path, bucket.PutOptions{IfAbsent: true}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Get(t.Context(), "parts"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if err := b.PutFile(t.Context(), "parts", path, bucket.PutOptions{IfAbsent: true}); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if removed, err := b.AbortUploads(t.Context(), "", everything); err != nil || removed != 0 {
		t.Errorf("%d uploads were left, %v", removed, err)
	}
}

// TestLostAnswers: after a lost response, a put recognizes its own object, and no other.
func TestLostAnswers(t *testing.T) {
	server := laketest.Versity(t).S3
	var lose atomic.Int64
	lose.Store(1)
	proxy := laketest.NewProxy(t, server, func(r *http.Request) laketest.Fault {
		if isPut := r.Method == http.MethodPut || r.Method == http.MethodPost; isPut && !r.URL.Query().Has("uploads") && !r.URL.Query().Has("partNumber") && lose.Add(-1) == 0 {
			return laketest.LoseAnswer
		}
		return laketest.None
	})
	b := open(t, proxy.URL)
	large, _ := file(t, 40<<20)
	if err := b.Put(t.Context(), "small", []byte("mine"), bucket.PutOptions{IfAbsent: true}); err != nil || lose.Load() > 0 {
		t.Errorf("a small object whose answer was lost: %v", err)
	}
	lose.Store(1)
	if err := b.PutFile(t.Context(), "large", large, bucket.PutOptions{IfAbsent: true}); err != nil || lose.Load() > 0 {
		t.Errorf("a large object whose answer was lost: %v", err)
	}
	lose.Store(1)
	if err := b.Put(t.Context(), "small", []byte("mine"), bucket.PutOptions{IfAbsent: true}); !errors.Is(err, bucket.ErrExists) || lose.Load() > 0 {
		t.Errorf("an object of another put with the same content: %v", err)
	}
}

// TestAbort: a failed upload removes its parts, and AbortUploads those of a killed process.
func TestAbort(t *testing.T) {
	server := laketest.Versity(t).S3
	large, _ := file(t, 40<<20)
	var refused atomic.Int64
	var forbid atomic.Bool
	forbid.Store(true)
	proxy := laketest.NewProxy(t, server, func(r *http.Request) laketest.Fault {
		if forbid.Load() && (r.URL.Query().Get("partNumber") == "3" || r.Method == http.MethodDelete) {
			refused.Add(1)
			return laketest.Forbid
		}
		return laketest.None
	})
	b := open(t, proxy.URL)
	if err := b.PutFile(t.Context(), "large", large, bucket.PutOptions{}); !errors.Is(err, bucket.ErrRefused) || refused.Load() == 0 {
		t.Fatalf("an upload whose third part is refused: %v", err)
	}
	forbid.Store(false)
	removed, err := b.AbortUploads(t.Context(), "lar", everything)
	if err != nil || removed != 1 {
		t.Errorf("removed %d unfinished uploads, %v, want 1", removed, err)
	}
	if removed, err = b.AbortUploads(t.Context(), "", everything); err != nil || removed != 0 {
		t.Errorf("removed %d unfinished uploads, %v, want none", removed, err)
	}
}
