package cli_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
)

// phrases is a list of phrases that comments and documents avoid (testdata/phrases.txt).
type phrases struct {
	banned []banned
	// allowed has the phrases that a file, or the files of a folder, may use.
	allowed map[string][]string
}

type banned struct {
	phrase, instead string
	pattern         *regexp.Regexp
}

func readPhrases(t *testing.T, path string) phrases {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := phrases{allowed: map[string][]string{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		first, second, ok := strings.Cut(line, "\t")
		path, isException := strings.CutPrefix(first, "- ")
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case !ok:
			t.Fatalf("%s: no tab in %q", path, line)
		case isException:
			p.allowed[path] = append(p.allowed[path], second)
		default:
			words := strings.Fields(regexp.QuoteMeta(first))
			p.banned = append(p.banned, banned{first, second, regexp.MustCompile(`(?i)\b` + strings.Join(words, `\s+`) + `\b`)})
		}
	}
	return p
}

// allows reports whether a file may use a phrase.
func (p phrases) allows(path, phrase string) bool {
	for where, allowed := range p.allowed {
		if path != where && !strings.HasPrefix(path, where+"/") {
			continue
		}
		for _, a := range allowed {
			if a == phrase {
				return true
			}
		}
	}
	return false
}

// prose is a comment or a paragraph.
type prose struct {
	line int // where it begins
	text string
}

var (
	inlineCode = regexp.MustCompile("`[^`\n]*`")
	marker     = regexp.MustCompile(`(?m)^\s*//+ ?`)
)

// commentsOf returns the comments of Go code, without the lines that show code.
func commentsOf(path string) (comments []prose, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, group := range file.Comments {
		var text strings.Builder
		for _, c := range group.List {
			text.WriteString(marker.ReplaceAllString(c.Text, "") + "\n")
		}
		comments = append(comments, prose{files.Position(group.Pos()).Line, text.String()})
	}
	return comments, nil
}

// paragraphsOf returns the paragraphs of a document. Lines of code are empty in them.
func paragraphsOf(path string) (paragraphs []prose, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fenced := false
	var p prose
	for i, line := range strings.Split(string(text), "\n") {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		fenced = fenced != fence
		if fence || fenced || strings.HasPrefix(line, "    ") {
			line = ""
		}
		if strings.TrimSpace(line) == "" {
			paragraphs, p = append(paragraphs, p), prose{line: i + 2}
			continue
		}
		p.text += inlineCode.ReplaceAllString(line, "``") + "\n"
	}
	return append(paragraphs, p), nil
}

// TestProse: comments and documents use none of the phrases of testdata/phrases.txt.
func TestProse(t *testing.T) {
	root := harness.Root(t)
	list := readPhrases(t, filepath.Join("testdata", "phrases.txt"))
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		read := map[string]func(string) ([]prose, error){".go": commentsOf, ".md": paragraphsOf}[filepath.Ext(path)]
		if read == nil {
			return nil
		}
		files++
		texts, err := read(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, p := range texts {
			list.check(t, filepath.ToSlash(relative), p)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

// check fails the test for each phrase that is not allowed.
func (p phrases) check(t *testing.T, path string, text prose) {
	for _, b := range p.banned {
		for _, at := range b.pattern.FindAllStringIndex(text.text, -1) {
			if !p.allows(path, b.phrase) {
				t.Errorf("%s:%d: %q: %s", path, text.line+strings.Count(text.text[:at[0]], "\n"), text.text[at[0]:at[1]], b.instead)
			}
		}
	}
}

// TestPhrases: a phrase is found across lines, in words of other case, and not in code.
func TestPhrases(t *testing.T) {
	list := readPhrases(t, filepath.Join("testdata", "phrases.txt"))
	if len(list.banned) == 0 {
		t.Fatal("the list is empty")
	}
	folder := t.TempDir()
	first := strings.Fields(list.banned[0].phrase)
	code, document := filepath.Join(folder, "a.go"), filepath.Join(folder, "a.md")
	spread := strings.ToUpper(first[0]) + "\n// " + strings.Join(first[1:], " ")
	for path, text := range map[string]string{
		code:     "package a\n\n// B is\n// " + spread + "\nconst B = `" + list.banned[0].phrase + "`\n",
		document: "A\n\n    " + list.banned[0].phrase + "\n\n`" + list.banned[0].phrase + "` " + strings.Join(first, "\n") + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, read := range map[string]func(string) ([]prose, error){code: commentsOf, document: paragraphsOf} {
		texts, err := read(path)
		found := 0
		for _, p := range texts {
			found += len(list.banned[0].pattern.FindAllString(p.text, -1))
		}
		if err != nil || found != 1 {
			t.Errorf("%s: found %d times, %v", path, found, err)
		}
	}
	list.allowed = map[string][]string{"docs": {"x"}}
	if !list.allows("docs/a.md", "x") || list.allows("docs/a.md", "y") || list.allows("docsx/a.md", "x") {
		t.Error("exceptions are for a file or a folder")
	}
}
