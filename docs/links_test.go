package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = ".."

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	remote  = regexp.MustCompile(`^[a-z]+:`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	dropped = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// documents returns the text of each Markdown file of the project by its path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		texts[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// anchors returns what code hosts make of a document's headings.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		names[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return names
}

// TestLinks: each link from a document to a file of the project leads to one, and its anchor to
// a heading.
func TestLinks(t *testing.T) {
	texts := documents(t)
	links := 0
	for name, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if remote.MatchString(m[1]) {
				continue
			}
			links++
			target, anchor, _ := strings.Cut(m[1], "#")
			path := name
			if target != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(name), target))
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			} else if anchor != "" && !anchors(texts[path])[anchor] {
				t.Errorf("%s: link to %s: %s has no such heading", name, m[1], path)
			}
		}
	}
	if links < 30 {
		t.Errorf("found %d links; want at least 30", links)
	}
}

// TestReadmeLinksEachDocument: README.md is the index of docs, with one link to each document.
func TestReadmeLinksEachDocument(t *testing.T) {
	texts := documents(t)
	count := map[string]int{}
	for _, m := range link.FindAllStringSubmatch(texts["README.md"], -1) {
		count[m[1]]++
	}
	for name := range texts {
		if dir := filepath.Dir(name); name == "README.md" || dir != "." && dir != "docs" {
			continue
		}
		if count[name] != 1 {
			t.Errorf("README.md has %d links to %s; want 1", count[name], name)
		}
	}
}

// TestVersion: the program has the version of the newest changes.
func TestVersion(t *testing.T) {
	newest := regexp.MustCompile(`(?m)^## ([0-9.]+) \([0-9-]{10}\)$`).FindStringSubmatch(documents(t)["CHANGELOG.md"])
	text, err := os.ReadFile(filepath.Join(root, "internal/model/version.go"))
	if err != nil || newest == nil {
		t.Fatal(newest, err)
	}
	version := regexp.MustCompile(`(?m)^const Version = "(.*)"$`).FindSubmatch(text)
	if version == nil || string(version[1]) != newest[1] {
		t.Errorf("version in internal/model: %q; CHANGELOG.md: %q", version, newest[1])
	}
}
