package app

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"datasync/internal/duck"

	"github.com/google/go-cmp/cmp"
)

func TestVersionText(t *testing.T) {
	build := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2026-01-31T23:59:59Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	v := readVersion(build, zoneInfo{SQL: "2026d", Shown: "2025b", Source: "/usr/share/zoneinfo"})
	want := "datasync    " + version + ", commit 0123456789ab of 2026-01-31, with changes that are not in it\n" +
		"DuckDB      " + strings.TrimPrefix(duck.Version(), "v") + "\n" +
		"Go          " + strings.TrimPrefix(runtime.Version(), "go") + ", " + runtime.GOOS + "/" + runtime.GOARCH + "\n" +
		"time zones  2026d in SQL (in DuckDB)\n" +
		"            2025b for shown times and dates in options (/usr/share/zoneinfo)\n"
	if diff := cmp.Diff(want, v.text(0)); diff != "" {
		t.Error(diff)
	}
	if text := readVersion(nil, zoneInfo{}).text(0); !strings.Contains(text, version+", commit unknown\n") {
		t.Error(text)
	}
}

func TestVersionJSON(t *testing.T) {
	code, out, errs := called("version", "--json")
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || errs != "" {
		t.Fatal(code, err, errs)
	}
	for _, key := range []string{"version", "commit", "commit_time", "modified", "duckdb", "go", "platform", "time_zones"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %s in %s", key, out)
		}
	}
	zones, _ := got["time_zones"].(map[string]any)
	if zones["sql"] != duck.TimeZones || zones["shown"] == nil || zones["source"] == nil {
		t.Error(out)
	}
}

func TestShownZones(t *testing.T) {
	folder := func(file, text string) string {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "Europe"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"Europe/Berlin": "TZif", file: text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	linux, mac, bare := folder("tzdata.zi", "# version 2026f\n# more\n"), folder("+VERSION", "2025a\n"), folder("other", "")
	none := filepath.Join(bare, "none")
	own := unknown
	if runtime.Version() == goChecked {
		own = goTimeZones
	}
	for _, tc := range []struct {
		variable string
		folders  []string
		want     zoneInfo
	}{
		{"", []string{none, linux, mac}, zoneInfo{duck.TimeZones, "2026f", linux}},
		{mac, []string{linux}, zoneInfo{duck.TimeZones, "2025a", mac}},
		{none, []string{linux}, zoneInfo{duck.TimeZones, "2026f", linux}},
		{"", []string{bare, linux}, zoneInfo{duck.TimeZones, unknown, bare}},
		{"", []string{t.TempDir(), none}, zoneInfo{duck.TimeZones, own, "go"}},
	} {
		if got := shownZones(tc.variable, tc.folders); got != tc.want {
			t.Errorf("%q, %q: %+v, want %+v", tc.variable, tc.folders, got, tc.want)
		}
	}
}

// TestGoTimeZones: the release is that of the Go that goChecked names.
func TestGoTimeZones(t *testing.T) {
	if runtime.Version() != goChecked {
		t.Skipf("version says nothing of the zones in %s", runtime.Version())
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "update.bash"))
	if err != nil {
		t.Skip("the Go distribution does not say which release it has")
	}
	if !bytes.Contains(b, []byte("\nDATA="+goTimeZones+"\n")) {
		t.Errorf("Go does not have %s", goTimeZones)
	}
}
