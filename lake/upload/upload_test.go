package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"datasync/internal/model"

	"datasync/lake/bucket"
	"datasync/lake/laketest"
	"datasync/lake/upload"
)

func open(t *testing.T, endpoint string) *bucket.Bucket {
	t.Helper()
	laketest.Environment(t)
	b, err := bucket.Open(t.Context(), bucket.Options{Bucket: "lake", Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// folder makes an export of a folder in a staging folder: files whose contents have the text, and the manifest
// beside them.
func folder(t *testing.T, endpoint, target, text string, files int) *model.LakePlan {
	t.Helper()
	plan := &model.LakePlan{Do: model.LakeDoUpload, Staging: t.TempDir(), Endpoint: endpoint, Upload: &model.LakeUpload{Target: target}}
	manifest := map[string]any{"version": 2, "rows": files}
	var described []map[string]any
	for n := range files {
		name := fmt.Sprintf("type=é/day=2026-01-%02d/events-1-9-%04d.csv.gz", n+1, n)
		write(t, plan, "events/"+name, []byte(fmt.Sprint(text, " ", n)))
		described = append(described, map[string]any{"path": name, "rows": 1})
	}
	manifest["files"] = described
	content, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, plan, "events.manifest.json", content)
	return plan
}

func write(t *testing.T, plan *model.LakePlan, name string, content []byte) {
	t.Helper()
	path := filepath.Join(plan.Staging, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	plan.Upload.Files = append(plan.Upload.Files, name)
}

// keys returns all keys of the bucket.
func keys(t *testing.T, b *bucket.Bucket) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// whole checks that all files in the manifest exist and have the text. It returns their keys and the
// manifest's key.
func whole(t *testing.T, b *bucket.Bucket, text string, files int) []string {
	t.Helper()
	content, err := b.Get(t.Context(), "ex/events.manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Files []struct {
			Path string `json:"path"`
		} `json:"files"`
	}
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	named := []string{"ex/events.manifest.json"}
	for n, f := range m.Files {
		got, err := b.Get(t.Context(), "ex/events/"+f.Path)
		if want := fmt.Sprint(text, " ", n); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", f.Path, got, err, want)
		}
		named = append(named, "ex/events/"+f.Path)
	}
	if len(m.Files) != files {
		t.Errorf("the manifest names %d files, want %d", len(m.Files), files)
	}
	return named
}

// only checks that the bucket has these keys and no others.
func only(t *testing.T, b *bucket.Bucket, want []string) {
	t.Helper()
	got := keys(t, b)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the bucket has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const target = "s3://lake/ex/events/"

func TestMain(m *testing.M) { os.Exit(laketest.Main(m)) }

func TestFolder(t *testing.T) {
	t.Run("versitygw", func(t *testing.T) { replaces(t, laketest.Versity(t).S3) })
	t.Run("weed", func(t *testing.T) { replaces(t, laketest.Weed(t).S3) })
}

// replaces uploads a folder, refuses to replace it, and replaces it.
func replaces(t *testing.T, server string) {
	b := open(t, server)
	var progress []model.LakeProgress
	plan := folder(t, server, target, "first", 5)
	result, err := upload.Do(t.Context(), plan, func(p model.LakeProgress) { progress = append(progress, p) })
	if err != nil {
		t.Fatal(err)
	}
	if last := progress[len(progress)-1]; result.Files != 6 || last.Done != result.Bytes || last.Total != result.Bytes || last.Step != "upload" {
		t.Errorf("result %+v, progress %+v", result, progress)
	}
	only(t, b, whole(t, b, "first", 5))

	check := &model.LakePlan{Do: model.LakeDoUpload, Endpoint: server, Upload: &model.LakeUpload{Target: target}}
	if _, err := upload.Do(t.Context(), check, nil); !errors.Is(err, upload.ErrTarget) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("checking a folder that exists: %v", err)
	}
	check.Upload.Replace = true
	if _, err := upload.Do(t.Context(), check, nil); err != nil {
		t.Errorf("checking a folder that may be replaced: %v", err)
	}
	_, err = upload.Do(t.Context(), folder(t, server, target, "second", 3), nil)
	if !errors.Is(err, upload.ErrTarget) || !strings.Contains(err.Error(), "--force") || model.ExitOf(err).Code != model.ExitError {
		t.Errorf("a folder that exists: %v", err)
	}
	only(t, b, whole(t, b, "first", 5))

	second := folder(t, server, target, "second", 3)
	second.Upload.Replace = true
	if result, err = upload.Do(t.Context(), second, nil); err != nil || result.Removed != 5 {
		t.Errorf("replacing a folder: %+v, %v", result, err)
	}
	only(t, b, whole(t, b, "second", 3))

	empty := folder(t, server, target, "", 0)
	empty.Upload.Replace = true
	if result, err = upload.Do(t.Context(), empty, nil); err != nil || result.Removed != 3 {
		t.Errorf("replacing a folder by an empty one: %+v, %v", result, err)
	}
	only(t, b, []string{"ex/events.manifest.json"})
}

// TestForeign: an upload changes no objects of other programs.
func TestForeign(t *testing.T) {
	server := laketest.Versity(t).S3
	b := open(t, server)
	put := func(key, text string) {
		t.Helper()
		if err := b.Put(t.Context(), key, []byte(text), bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	replacing := func(target string) error {
		plan := folder(t, server, target, "ours", 2)
		plan.Upload.Replace = true
		_, err := upload.Do(t.Context(), plan, nil)
		return err
	}
	put("ex/events/notes.txt", "not ours")
	put("ex/eventsmore/notes.txt", "not ours")
	if err := replacing(target); !errors.Is(err, upload.ErrTarget) || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("a folder with another file: %v", err)
	}
	put("other.manifest.json", `{"kind": "something else"}`)
	if err := replacing("s3://lake/other/"); !errors.Is(err, upload.ErrTarget) {
		t.Errorf("a manifest of something else: %v", err)
	}
	put("climbing.manifest.json", `{"version": 2, "files": [{"path": "../ex/events/notes.txt"}]}`)
	if err := replacing("s3://lake/climbing/"); !errors.Is(err, upload.ErrTarget) {
		t.Errorf("a manifest that names a file elsewhere: %v", err)
	}
	only(t, b, []string{"climbing.manifest.json", "ex/events/notes.txt", "ex/eventsmore/notes.txt", "other.manifest.json"})
	if err := replacing("s3://lake/"); model.ExitOf(err).Code != model.ExitUsage {
		t.Errorf("a whole bucket: %v", err)
	}
}

// TestKills kills an upload at each write request. The export stays whole, and the next upload removes all
// other objects.
func TestKills(t *testing.T) {
	server := laketest.Versity(t).S3
	b := open(t, server)
	text, files := "version 0", 2
	if _, err := upload.Do(t.Context(), folder(t, server, target, text, files), nil); err != nil {
		t.Fatal(err)
	}
	for at := int64(1); ; at++ {
		// A killed process sends no further requests, not even for cleanup.
		var changes atomic.Int64
		ctx, kill := context.WithCancel(t.Context())
		proxy := laketest.NewProxy(t, server, func(r *http.Request) laketest.Fault {
			if r.Method != http.MethodGet && r.Method != http.MethodHead && changes.Add(1) >= at {
				kill()
				return laketest.Forbid
			}
			return laketest.None
		})
		next := fmt.Sprint("version ", at)
		plan := folder(t, proxy.URL, target, next, 3)
		plan.Upload.Replace = true
		_, err := upload.Do(ctx, plan, nil)
		kill()
		content, errGet := b.Get(t.Context(), "ex/events.manifest.json")
		if errGet != nil {
			t.Fatal(errGet)
		}
		if bytes.Contains(content, []byte("0002-")) { // the third file
			text, files = next, 3
		}
		whole(t, b, text, files)
		if err == nil {
			break
		}
		plan = folder(t, server, target, "after", 2)
		plan.Upload.Replace = true
		if _, err := upload.Do(t.Context(), plan, nil); err != nil {
			t.Fatal(err)
		}
		text, files = "after", 2
		only(t, b, whole(t, b, text, files))
		if at > 50 {
			t.Fatal("an upload has more than 50 requests")
		}
	}
	if changes := text; changes == "after" {
		t.Error("no upload came to its end")
	}
}

// TestTwoUploads: concurrent uploads fail or succeed, but the folder has one whole export.
func TestTwoUploads(t *testing.T) {
	server := laketest.Versity(t).S3
	b := open(t, server)
	var all sync.WaitGroup
	var done atomic.Int64
	for range 4 {
		plan := folder(t, server, target, "same", 4)
		plan.Upload.Replace = true
		all.Go(func() {
			switch _, err := upload.Do(t.Context(), plan, nil); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, upload.ErrTarget):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() == 0 {
		t.Error("no upload succeeded")
	}
	only(t, b, whole(t, b, "same", 4))
}

// TestLossy uploads to a service that fails 3 of 10 requests.
func TestLossy(t *testing.T) {
	proxy := laketest.NewProxy(t, laketest.Versity(t).S3, laketest.Lossy(7, laketest.Refuse, laketest.Drop, laketest.LoseAnswer, laketest.CutAnswer, laketest.TimeOut))
	b := open(t, proxy.URL)
	for n := range 3 {
		plan := folder(t, proxy.URL, target, fmt.Sprint("round ", n), 6)
		plan.Upload.Replace = n > 0
		if _, err := upload.Do(t.Context(), plan, nil); err != nil {
			t.Fatal(err)
		}
		only(t, b, whole(t, b, fmt.Sprint("round ", n), 6))
	}
	if proxy.Count(laketest.LoseAnswer) == 0 {
		t.Error("no answer was lost")
	}
}

func TestFile(t *testing.T) {
	server := laketest.Versity(t).S3
	b := open(t, server)
	plan := &model.LakePlan{Staging: t.TempDir(), Endpoint: server, Upload: &model.LakeUpload{Target: "s3://lake/a/events.csv"}}
	write(t, plan, "x.csv", []byte("one"))
	check := &model.LakePlan{Endpoint: server, Upload: &model.LakeUpload{Target: plan.Upload.Target}}
	if _, err := upload.Do(t.Context(), check, nil); err != nil {
		t.Errorf("checking a file that does not exist: %v", err)
	}
	result, err := upload.Do(t.Context(), plan, nil)
	if err != nil || result.Files != 1 || result.Bytes != 3 {
		t.Fatalf("%+v, %v", result, err)
	}
	if _, err := upload.Do(t.Context(), check, nil); !errors.Is(err, upload.ErrTarget) {
		t.Errorf("checking a file that exists: %v", err)
	}
	none := &model.LakePlan{Endpoint: server, Upload: &model.LakeUpload{Target: "s3://nowhere/a/events.csv"}}
	if _, err := upload.Do(t.Context(), none, nil); !errors.Is(err, bucket.ErrNoBucket) {
		t.Errorf("checking a bucket that does not exist: %v", err)
	}
	plan.Upload.Files = nil
	write(t, plan, "x.csv", []byte("two"))
	if _, err := upload.Do(t.Context(), plan, nil); !errors.Is(err, upload.ErrTarget) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a file that exists: %v", err)
	}
	if got, err := b.Get(t.Context(), "a/events.csv"); err != nil || string(got) != "one" {
		t.Errorf("got %q, %v", got, err)
	}
	plan.Upload.Replace = true
	if _, err := upload.Do(t.Context(), plan, nil); err != nil {
		t.Error(err)
	}
	if got, err := b.Get(t.Context(), "a/events.csv"); err != nil || string(got) != "two" {
		t.Errorf("got %q, %v", got, err)
	}
	only(t, b, []string{"a/events.csv"})
}

func TestPlans(t *testing.T) {
	for _, c := range []struct {
		name, target string
		files        []string
		code         int
	}{
		{"a folder's files for a file", "s3://lake/events.csv", []string{"events/a.csv", "events.manifest.json"}, model.ExitError},
		{"no URL", "/tmp/x", []string{"x.csv"}, model.ExitUsage},
		{"several files without a manifest", target, []string{"a.csv", "b.csv"}, model.ExitError},
		{"a path out of the staging folder", target, []string{"../a.csv"}, model.ExitError},
		{"an absolute path", target, []string{"/etc/hostname"}, model.ExitError},
		{"a file beside the folder", target, []string{"more/a.csv", "events.manifest.json"}, model.ExitError},
	} {
		plan := &model.LakePlan{Staging: t.TempDir(), Endpoint: "http://127.0.0.1:1", Upload: &model.LakeUpload{Target: c.target, Files: c.files}}
		if _, err := upload.Do(t.Context(), plan, nil); err == nil || model.ExitOf(err).Code != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
