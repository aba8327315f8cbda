package supply

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// run runs a script with more in its environment.
func run(t *testing.T, env []string, script string, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), script, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestRelease builds a release twice, with the same bytes, and checks its files.
func TestRelease(t *testing.T) {
	dist, scratch := t.TempDir(), t.TempDir()
	if code, said := run(t, []string{"TMPDIR=" + scratch}, "./reproducible.sh", dist); code != 0 {
		t.Fatal(said)
	}
	name := "datasync-" + runtime.GOOS + "-" + runtime.GOARCH
	lake := "datasync-lake-" + runtime.GOOS + "-" + runtime.GOARCH
	t.Run("SHA256SUMS", func(t *testing.T) {
		cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
		cmd.Dir = dist
		if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), ": OK\n") != 4 {
			t.Errorf("%s, %v", out, err)
		}
	})
	t.Run("files", func(t *testing.T) {
		var names []string
		files, err := os.ReadDir(dist)
		for _, f := range files {
			names = append(names, f.Name())
		}
		if want := []string{"SHA256SUMS", lake, lake + ".cdx.json", name, name + ".cdx.json"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%v, %v, want %v", names, err, want)
		}
	})
	t.Run("libraries", func(t *testing.T) {
		libraries(t, filepath.Join(dist, name))
		libraries(t, filepath.Join(dist, lake))
	})
	t.Run("paths", func(t *testing.T) {
		program, err := os.ReadFile(filepath.Join(dist, name))
		second, errLake := os.ReadFile(filepath.Join(dist, lake))
		if err := errors.Join(err, errLake); err != nil {
			t.Fatal(err)
		}
		program = append(program, second...)
		here, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{here, scratch, goEnv(t, "GOMODCACHE"), goEnv(t, "GOCACHE")} {
			if bytes.Contains(program, []byte(path)) {
				t.Errorf("%s stands in the program", path)
			}
		}
	})
	t.Run("SBOM", func(t *testing.T) {
		bom(t, filepath.Join(dist, name+".cdx.json"), "../..", "github.com/urfave/cli/v2")
		bom(t, filepath.Join(dist, lake+".cdx.json"), "../../lake", "github.com/apache/iceberg-go")
	})
	t.Run("both of one commit", func(t *testing.T) { ofOneCommit(t, filepath.Join(dist, name), filepath.Join(dist, lake)) })
	t.Run("vulncheck", func(t *testing.T) { vulncheck(t, filepath.Join(dist, name)) })
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// ofOneCommit starts datasync-lake through datasync, which refuses one of another commit. Nothing listens
// at the address of the catalog.
func ofOneCommit(t *testing.T, program, lake string) {
	database := filepath.Join(t.TempDir(), "a.duckdb")
	if code, said := run(t, nil, program, "--db", database, "pull", "--demo", "--demo-events", "100", "--quiet"); code != 0 {
		t.Fatal(code, said)
	}
	code, said := run(t, nil, program, "--db", database, "status", "--iceberg", "web.events", "--catalog", "http://127.0.0.1:1")
	if code != 1 || strings.Contains(said, "the program datasync-lake") || !strings.Contains(said, "127.0.0.1:1") {
		t.Error(code, said)
	}
	if err := os.Rename(lake, lake+".moved"); err != nil {
		t.Fatal(err)
	}
	code, said = run(t, []string{"PATH="}, program, "--db", database, "status", "--iceberg", "web.events", "--catalog", "http://127.0.0.1:1")
	if err := os.Rename(lake+".moved", lake); err != nil {
		t.Fatal(err)
	}
	if code != 1 || !strings.Contains(said, "datasync-lake is missing") {
		t.Error(code, said)
	}
}

// bom checks the parts of an SBOM that matter, with the modules of the folder.
func bom(t *testing.T, path, folder, linked string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BOMFormat, SerialNumber string
		Metadata                struct{ Timestamp string }
		Components              []struct{ Name, Version string }
	}
	if err := json.Unmarshal(text, &bom); err != nil || bom.BOMFormat != "CycloneDX" {
		t.Fatalf("%q, %v", bom.BOMFormat, err)
	}
	if bom.SerialNumber != "" || bom.Metadata.Timestamp != "" {
		t.Errorf("it changes: serial number %q, timestamp %q", bom.SerialNumber, bom.Metadata.Timestamp)
	}
	versions := map[string]string{}
	for _, c := range bom.Components {
		versions[c.Name] = c.Version
	}
	library := "github.com/duckdb/duckdb-go-bindings/lib/" + runtime.GOOS + "-" + runtime.GOARCH
	for _, name := range []string{"github.com/duckdb/duckdb-go/v2", library, linked} {
		list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", name)
		list.Dir = folder
		want, err := list.Output()
		if err != nil || versions[name] != strings.TrimSpace(string(want)) {
			t.Errorf("%s is %q, want %s (%v)", name, versions[name], want, err)
		}
	}
	if want := goEnv(t, "GOVERSION"); versions["std"] != want {
		t.Errorf("the standard library is %q, want %s", versions["std"], want)
	}
}

// vulncheck tries the script on databases of vulnerabilities that are made up.
func vulncheck(t *testing.T, program string) {
	database := func(module, symbol string) string {
		folder := t.TempDir()
		entry := `{"schema_version":"1.3.1","id":"GO-2099-0001","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z",
			"summary":"Made up","details":"Made up.","affected":[{"package":{"name":"` + module + `","ecosystem":"Go"},
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"ecosystem_specific":{"imports":[{"path":"` + module + `","symbols":["` + symbol + `"]}]}}],
			"database_specific":{"url":"https://pkg.go.dev/vuln/GO-2099-0001"}}`
		if err := os.WriteFile(filepath.Join(folder, "GO-2099-0001.json"), []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
		return "GOVULNDB=file://" + folder
	}
	// No server listens at port 1, so the real database cannot be reached.
	unreachable := []string{"GOVULNDB=", "HTTPS_PROXY=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", "NO_PROXY=", "no_proxy="}
	for _, tc := range []struct {
		name string
		env  []string
		ok   bool
		said string
	}{
		{"none", []string{database("github.com/nobody/knows", "It")}, true, "No vulnerabilities found"},
		{"called", []string{database("github.com/google/uuid", "NewV7")}, false, "GO-2099-0001"},
		{"out of reach", unreachable, true, "NOTE: not checked"},
		{"out of reach, strictly", append(unreachable, "STRICT=1"), false, "NOTE: not checked"},
		{"no database", []string{"GOVULNDB=file:///nowhere"}, false, "nowhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, said := run(t, tc.env, "./vulncheck.sh", "-mode=binary", program)
			if (code == 0) != tc.ok || !strings.Contains(said, tc.said) {
				t.Errorf("exit %d, said %s", code, said)
			}
		})
	}
}
