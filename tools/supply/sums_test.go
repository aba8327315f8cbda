package supply

import (
	"debug/elf"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestOtherBytes: a dependency that is another than go.sum says is not built, and one that was
// changed after it was fetched is found by verify.sh.
func TestOtherBytes(t *testing.T) {
	const module = "github.com/google/uuid"
	all, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	sums := regexp.MustCompile(`(?m)^`+module+` (v[0-9.]+)(/go\.mod)? h1:.*\n`).FindAllStringSubmatch(string(all), -1)
	if len(sums) != 2 {
		t.Fatalf("%v", sums)
	}
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("verify.sh")
	if err != nil || os.MkdirAll(filepath.Join(root, "tools/supply"), 0o700) != nil {
		t.Fatal(err)
	}
	write("tools/supply/verify.sh", string(script))
	write("go.mod", "module a\n\ngo 1.25\n\nrequire "+module+" "+sums[0][1]+"\n")
	write("main.go", "package main\n\nimport _ \""+module+"\"\n\nfunc main() {}\n")
	write("go.sum", sums[0][0]+sums[1][0])
	modules := filepath.Join(t.TempDir(), "modules")
	env := []string{"GOMODCACHE=" + modules, "GOPROXY=file://" + filepath.Join(goEnv(t, "GOMODCACHE"), "cache/download"),
		"GOSUMDB=off", "GOFLAGS=-mod=readonly -modcacherw", "GOWORK=off"}
	run(t, nil, "git", "init", "--quiet", root)
	run(t, nil, "git", "-C", root, "add", ".")
	build := func() (int, string) { return run(t, env, "sh", "-c", `cd "$1" && go build -o /dev/null .`, "sh", root) }
	verify := func() (int, string) { return run(t, env, filepath.Join(root, "tools/supply/verify.sh")) }
	if code, said := build(); code != 0 {
		t.Fatal(said)
	}
	if code, said := verify(); code != 0 || !strings.Contains(said, "all modules verified") {
		t.Error(code, said)
	}
	for name, sum := range map[string]string{
		"another sum": regexp.MustCompile(` h1:...`).ReplaceAllString(sums[0][0], " h1:AAA") + sums[1][0],
		"no sum":      sums[1][0],
	} {
		write("go.sum", sum)
		if code, said := build(); code == 0 || !strings.Contains(said, module) {
			t.Errorf("%s: exit %d, said %s", name, code, said)
		}
	}
	write("go.sum", sums[0][0]+sums[1][0])
	source := filepath.Join(modules, module+"@"+sums[0][1], "uuid.go")
	if err := os.WriteFile(source, []byte("package uuid\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := verify(); code == 0 || !strings.Contains(said, "modified") {
		t.Errorf("changed after it was fetched: exit %d, said %s", code, said)
	}
}

// TestReaders: the readers of exports that are no Go have exact versions, those of npm hashes, too, as
// has axe-core, and none runs a script when it is installed.
func TestReaders(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../internal/readers/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	exact := regexp.MustCompile(`^(#.*|[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*)?$`)
	for line := range strings.Lines(read("other/requirements.txt")) {
		if !exact.MatchString(strings.TrimSpace(line)) {
			t.Errorf("requirements.txt: %s", line)
		}
	}
	for _, name := range []string{"other/package-lock.json", "../browser/package-lock.json"} {
		var lock struct {
			Packages map[string]struct{ Integrity string }
		}
		if err := json.Unmarshal([]byte(read(name)), &lock); err != nil || len(lock.Packages) < 2 {
			t.Fatalf("%s: %d packages, %v", name, len(lock.Packages), err)
		}
		for dependency, p := range lock.Packages {
			if dependency != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
				t.Errorf("%s: %s has no hash", name, dependency)
			}
		}
	}
	for _, name := range []string{"run.sh", "../browser/run.sh"} {
		installs := 0
		for line := range strings.Lines(read(name)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "npm ") {
				continue
			}
			installs++
			if !strings.Contains(line, " --ignore-scripts ci") {
				t.Errorf("%s: %s", name, line)
			}
		}
		if installs == 0 {
			t.Errorf("%s installs nothing", name)
		}
	}
}

// libraries looks at what a program takes from the system it runs on.
func libraries(t *testing.T, program string) {
	if runtime.GOOS != "linux" {
		t.Skip("not an ELF file")
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	names, err := f.ImportedLibraries()
	if err != nil || !slices.Contains(names, "libstdc++.so.6") || !slices.Contains(names, "libc.so.6") {
		t.Errorf("%v, %v", names, err)
	}
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "duckdb") }) {
		t.Errorf("DuckDB is not part of the program: %v", names)
	}
}
