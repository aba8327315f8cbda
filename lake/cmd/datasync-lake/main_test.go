package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"datasync/internal/model"
)

// input is a pipe with a text, as stdin, whose other end stays open if the text has a line.
func input(t *testing.T, text string) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
	if _, err := writer.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "\n") {
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return reader
}

func TestVerbs(t *testing.T) {
	for _, c := range []struct {
		args, stdin, stdout, stderr string
		code                        int
	}{
		{"--help", "", "Usage:", "", 0},
		{"version", "", "datasync-lake " + model.Version, "", 0},
		{"version --json", "", `"version":"` + model.Version + `"`, "", 0},
		{"", "", "", "datasync export --iceberg", model.ExitUsage},
		{"walk", "", "", "--help", model.ExitUsage},
		{"run", "", `"error":{"text":"read the plan: `, "", model.ExitError},
		{"run", "no JSON\n", `"error":{"text":"read the plan: `, "", model.ExitError},
		{"run", `{"version": "0.0.0", "do": "export"}` + "\n", "install both from one release", "", model.ExitError},
		{"run", `{"version": "` + model.Version + `", "do": "dance"}` + "\n", `cannot do`, "", model.ExitError},
		{"run", `{"version": "` + model.Version + `", "do": "export", "table": {"catalog": "s3://bucket/x", "name": "events"}}` + "\n", "names no namespace", "", model.ExitUsage},
	} {
		t.Run(c.args+c.stdin, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields(c.args), input(t, c.stdin), &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("code %d, stdout %q, stderr %q; want %+v", code, &stdout, &stderr, c)
			}
			if c.args == "run" {
				var line model.LakeLine
				if err := json.Unmarshal(stdout.Bytes(), &line); err != nil || line.Error == nil || line.Error.Code != code {
					t.Errorf("the line is %+v, %v", line, err)
				}
			}
		})
	}
}

func TestRedact(t *testing.T) {
	t.Setenv("DATASYNC_CATALOG_CREDENTIAL", "client:ds_test_s/cret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "ds_test_aws+key")
	t.Setenv("AWS_SESSION_TOKEN", "")
	got := redact("a client:ds_test_s/cret b ds_test_s%2Fcret c ds_test_aws+key d")
	if got != "a *** b *** c *** d" {
		t.Errorf("redacted %q", got)
	}
}
