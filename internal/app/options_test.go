package app

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"datasync/export"
	"datasync/ingest"
	"datasync/internal/model"
	"datasync/internal/term"
	"datasync/query"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/urfave/cli/v2"
)

// parse runs the command that build returns on a command line, in an environment without a
// terminal. Its seam must be a stub.
func parse(t *testing.T, build func(term.IO) *cli.Command, args ...string) error {
	t.Helper()
	io := term.IO{
		Getenv: func(name string) string { return map[string]string{"DATASYNC_API_KEY": "ds_test_key"}[name] },
		Stdin:  strings.NewReader("SELECT 3"), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{},
	}
	command := build(io)
	root := newApp(io)
	root.Commands = []*cli.Command{command}
	return root.Run(permute(append([]string{"datasync", command.Name}, args...), root))
}

func TestPullOptions(t *testing.T) {
	var got pullOptions
	err := parse(t, func(io term.IO) *cli.Command {
		return pullCommand(io, func(_ context.Context, opts pullOptions) error { got = opts; return nil })
	}, "--base-url", "HTTPS://API.test/", "--from", "2026-01-31", "--workers", "4", "--lookback", "1h", "--max-wait", "2m", "--forget-waits", "--db", "a", "-q")
	if err != nil {
		t.Fatal(err)
	}
	want := ingest.Options{Key: "ds_test_key", PageSize: 100_000, Workers: 4, Lookback: time.Hour, MaxWait: 2 * time.Minute, MaxRetryTime: 5 * time.Minute}
	want.From.V, want.From.Valid = model.InstantOf(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)), true
	if diff := cmp.Diff(want, got.ingest, cmpopts.IgnoreFields(ingest.Options{}, "Notice", "BaseURL")); diff != "" {
		t.Error(diff)
	}
	if got.database != "a" || got.origin != "https://api.test:443" || got.ingest.BaseURL.String() != "https://api.test/" || !got.forgetWaits || !got.quiet || got.dryRun {
		t.Errorf("%+v", got)
	}
}

func TestQueryOptions(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want query.Options
		file string
	}{
		{"an argument", []string{"SELECT 1"}, query.Options{SQL: "SELECT 1", Format: query.CSV}, ""},
		{"stdin", []string{"-", "--format", "json"}, query.Options{SQL: "SELECT 3", Format: query.JSON}, ""},
		{"a file", []string{"SELECT 1", "-o", "a.md"}, query.Options{SQL: "SELECT 1", Format: query.Markdown, Results: new(int)}, "a.md"},
		{"stdout by name", []string{"SELECT 1", "-o", "-"}, query.Options{SQL: "SELECT 1", Format: query.CSV}, ""},
		{"all rows", []string{"SELECT 1", "--max-rows", "0"}, query.Options{SQL: "SELECT 1", Format: query.CSV, MaxRows: -1}, ""},
		{"parameters", []string{"SELECT $a", "--param", "$a=b=c"}, query.Options{SQL: "SELECT $a", Format: query.CSV, Params: map[string]string{"a": "b=c"}}, ""},
	} {
		var got queryOptions
		err := parse(t, func(io term.IO) *cli.Command {
			return queryCommand(io, func(_ context.Context, opts queryOptions) error { got = opts; return nil })
		}, tc.args...)
		tc.want.Location = time.UTC
		if diff := cmp.Diff(tc.want, got.query, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" || err != nil || got.file != tc.file {
			t.Errorf("%s: file %q, %v %s", tc.name, got.file, err, diff)
		}
	}
}

func TestExportOptions(t *testing.T) {
	var got exportOptions
	err := parse(t, func(io term.IO) *cli.Command {
		return exportCommand(io, func(_ context.Context, opts exportOptions) error { got = opts; return nil })
	}, "--parquet", "out", "--partition-by", "day, type", "--file-size", "100MB", "--uuid", "string", "--memory-limit", "1GiB", "--incremental")
	want := export.Options{Target: "out", Incremental: true, MemoryLimit: 1 << 30}
	want.Format, want.PartitionBy, want.FileSize, want.UUID = export.Parquet, []string{"day", "type"}, 100_000_000, "string"
	if diff := cmp.Diff(want, got.export, cmpopts.IgnoreFields(export.Options{}, "Database", "Keep", "Scratch", "Tool")); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}
