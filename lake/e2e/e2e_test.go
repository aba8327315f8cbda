package e2e_test

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

var all = flag.Bool("all", false, "try all cases where the tests try a few of them: minutes")

func TestMain(m *testing.M) { os.Exit(laketest.Main(m)) }

// whole skips a test without -all.
func whole(t *testing.T) {
	t.Helper()
	if !*all {
		t.Skip("this needs -all")
	}
}

// both runs a test over both catalogs of a server. If few is true, it needs -all for the second catalog.
func both(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	s := laketest.Weed(t)
	t.Run("rest", func(t *testing.T) { test(t, kind{s, s.URL}) })
	t.Run("folder", func(t *testing.T) { test(t, kind{s, "s3://" + s.Bucket + "/attack"}) })
}

// kind is a catalog on a server.
type kind struct {
	laketest.Server
	url string
}

// rest reports whether it is a REST catalog.
func (k kind) rest() bool { return !strings.HasPrefix(k.url, "s3:") }

// isCommit reports whether a request commits to a table.
func isCommit(r *http.Request) bool {
	if r.Method == http.MethodPost {
		return strings.Contains(r.URL.Path, "/tables/")
	}
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".metadata.json") && !strings.HasSuffix(r.URL.Path, "/v1.metadata.json")
}

// via sends a plan's requests to bucket and catalog through proxies with the same decision.
func (k kind) via(t *testing.T, plan *model.LakePlan, decide func(*http.Request) laketest.Fault) (bucket, catalog *laketest.Proxy) {
	t.Helper()
	bucket = laketest.NewProxy(t, k.S3, decide)
	plan.Endpoint = bucket.URL
	if !k.rest() {
		return bucket, bucket
	}
	address, query, _ := strings.Cut(k.url, "?")
	catalog = laketest.NewProxy(t, address, decide)
	table := *plan.Table
	table.Catalog = catalog.URL + "?" + query
	plan.Table = &table
	return bucket, catalog
}

func (k kind) plan(t *testing.T, f laketest.File, name string) model.LakePlan {
	t.Helper()
	return laketest.Plan(t, k.Server, f, k.url, name)
}

// done runs a plan that must succeed.
func (k kind) done(t *testing.T, plan model.LakePlan) *model.LakeResult {
	t.Helper()
	a := laketest.Run(t, k.Server, plan)
	if a.Code != 0 || a.Result == nil {
		t.Fatalf("code %d, error %+v", a.Code, a.Error)
	}
	return a.Result
}

// equal compares a table with files of different origins, each up to its position.
func (k kind) equal(t *testing.T, name string, files ...laketest.File) {
	t.Helper()
	loaded := k.Load(t, k.url, name)
	rows := int64(0)
	for _, f := range files {
		batch := loaded.Position(t, f.Origin).Batch
		got, want := loaded.Sums(t, f.Origin), f.Sums(t, batch)
		if got != want {
			t.Fatalf("up to batch %d of %s the table has %+v, want %+v", batch, f.Origin, got, want)
		}
		rows += got.Rows
	}
	if all := loaded.Count(t); all != rows {
		t.Fatalf("the table has %d rows, want %d", all, rows)
	}
}

// copyOf copies a file, as a running pull does for readers.
func copyOf(t *testing.T, f laketest.File) laketest.File {
	t.Helper()
	content, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	f.Path = filepath.Join(t.TempDir(), filepath.Base(f.Path))
	if err := os.WriteFile(f.Path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}
