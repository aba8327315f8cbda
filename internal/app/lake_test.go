package app

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/store"
)

// TestLakeStanding: what an Iceberg table cannot have yet is above the last closing check.
func TestLakeStanding(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(`CREATE TABLE meta (key VARCHAR, value VARCHAR); CREATE TABLE page_log (batch BIGINT); CREATE TABLE events (batch BIGINT)`); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		statement string
		want      lakeStanding
		text      string
		pull      bool
	}{
		{"SELECT 1", lakeStanding{}, "", false},
		{"INSERT INTO page_log VALUES (1), (2), (2); INSERT INTO events SELECT 2 FROM range(1000)", lakeStanding{2, 0, 2, 1000},
			"2 batches (1,000 events) wait for a check for second copies: the pull that runs checks them at its end; export again then", true},
		{"INSERT INTO meta VALUES ('checked_batch', '2')", lakeStanding{2, 2, 0, 0}, "", false},
		{"INSERT INTO page_log VALUES (3); INSERT INTO events VALUES (3)", lakeStanding{3, 2, 1, 1},
			"1 batch (1 event) waits for a check for second copies: run datasync pull, which checks them at its end, then export again", false},
	} {
		var got lakeStanding
		_, err := db.Exec(tc.statement)
		if err := errors.Join(err, scanLakeStanding(t.Context(), db, &got)); err != nil || got != tc.want || got.waitingText(tc.pull) != tc.text {
			t.Errorf("%s: %+v, %v, %q", tc.statement, got, err, got.waitingText(tc.pull))
		}
	}
}

// TestLakeOfAnOlderFile: an export of a file of an older schema says what to do. It would lack the file's lineage.
func TestLakeOfAnOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: "https://api.test:443"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readLakeStanding(t.Context(), path, "a.duckdb"); err != nil || got != (lakeStanding{}) {
		t.Errorf("%+v, %v", got, err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("UPDATE meta SET value = '7' WHERE key = 'schema_version'")
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = readLakeStanding(t.Context(), path, "a.duckdb")
	if !errors.Is(err, dbfile.ErrOlder) || !strings.Contains(err.Error(), `"a.duckdb"`) || !strings.Contains(err.Error(), "run datasync pull") {
		t.Error(err)
	}
}

// TestLakeSteps: the bar of an export never goes back, and is full only at the last commit.
func TestLakeSteps(t *testing.T) {
	s := &lakeSteps{shares: exportShares}
	last := -1.0
	for _, step := range []model.LakeProgress{
		{Step: "copy"}, {Step: "copy", Done: 0, Total: 10}, {Step: "copy", Done: 5, Total: 10}, {Step: "upload", Done: 5, Total: 10}, {Step: "commit", Done: 5, Total: 10},
		{Step: "copy", Done: 5, Total: 10}, {Step: "copy", Done: 10, Total: 10}, {Step: "upload", Done: 10, Total: 10}, {Step: "commit", Done: 10, Total: 10},
	} {
		s.follow(step)
		if p := s.percent(); p < last || p > 100 || p == 100 && (step.Step != "commit" || step.Done < step.Total) {
			t.Errorf("%+v: %v after %v", step, p, last)
		}
		last = s.percent()
	}
	if last != 100 {
		t.Errorf("the end is %v", last)
	}
}

// TestStaged: an upload sends the manifest last, and nothing hidden.
func TestStaged(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a.manifest.json", "a/day=1/x.parquet", "a/x.parquet", ".datasync-export-X"} {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := staged(root)
	if got := strings.Join(files, " "); err != nil || got != "a/day=1/x.parquet a/x.parquet a.manifest.json" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestSecretsInURLs: the address of a service has no secret, and no error repeats what may be one.
func TestSecretsInURLs(t *testing.T) {
	const secret = "hunter22hunter22"
	for _, line := range [][]string{
		{"export", "--iceberg", "a.b", "--catalog", "https://u:" + secret + "@h"}, {"export", "--iceberg", "a.b", "--catalog", "https://" + secret + "@h/p"},
		{"export", "--iceberg", "a.b", "--catalog", "https://h?credential=" + secret}, {"export", "--iceberg", "a.b", "--catalog", "https://h?" + secret},
		{"export", "--iceberg", "a.b", "--catalog", "https://h#" + secret}, {"export", "--iceberg", "a.b", "--catalog", "id:" + secret}, {"export", "--iceberg", "a.b", "--catalog", "ds_" + secret},
		{"export", "--iceberg", "a.b", "--catalog", "s3://u:" + secret + "@b/p"}, {"status", "--iceberg", "a.b", "--catalog", "s3://b?x=" + secret},
		{"export", "--iceberg", "a.b", "--catalog", "s3://b", "--endpoint", "http://u:" + secret + "@h"}, {"export", "--iceberg", "a.b", "--catalog", "s3://b", "--endpoint", "id:" + secret},
		{"export", "--csv", "s3://u:" + secret + "@b/k.parquet"}, {"export", "--parquet", "https://u:" + secret + "@b/k.parquet"},
		{"export", "--csv", "x", "--endpoint", "http://u:" + secret + "@h"}, {"export", "--iceberg", "a.b", "--catalog", "s3://b", "--aws-secret-access-key", secret},
	} {
		code, out, errs := called(line...)
		if code != 2 || out != "" || strings.Contains(errs, secret) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d, %q", line, code, errs)
		}
	}
}
