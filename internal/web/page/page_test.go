package page_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"datasync/internal/chart"
	"datasync/internal/web/page"
)

// inside returns the texts between the pairs of a start and an end tag.
func inside(t *testing.T, html, tag string) []string {
	t.Helper()
	var texts []string
	for _, found := range regexp.MustCompile(`(?s)<`+tag+`(?: [^>]*)?>(.*?)</`+tag+`>`).FindAllStringSubmatch(html, -1) {
		texts = append(texts, found[1])
	}
	return texts
}

// TestPolicy: the policy allows the style and the script that are in the document, by the hashes of their very
// bytes, and no other.
func TestPolicy(t *testing.T) {
	document := page.New(chart.Styles())
	for tag, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		texts := inside(t, string(document.HTML), tag)
		if len(texts) != 1 {
			t.Fatalf("%d elements %s, want 1", len(texts), tag)
		}
		sum := sha256.Sum256([]byte(texts[0]))
		want := directive + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
		if !strings.Contains(document.Policy, want) {
			t.Errorf("the policy has no %s: %s", want, document.Policy)
		}
	}
	for _, directive := range []string{"default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
		"frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types datasync-section"} {
		if !strings.Contains(document.Policy+";", directive+";") {
			t.Errorf("the policy has no %q: %s", directive, document.Policy)
		}
	}
	if strings.Contains(document.Policy, "unsafe") {
		t.Errorf("the policy allows what is unsafe: %s", document.Policy)
	}
}

// TestDocument: the document has all parts of its script, ids that are there once, and nothing that loads
// something or that the policy would block.
func TestDocument(t *testing.T) {
	html := string(page.New("/* of the report */" + chart.Styles()).HTML)
	parts, err := filepath.Glob("script/*.js")
	if err != nil || len(parts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range parts {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(html, strings.TrimSpace(string(part))) != 1 {
			t.Errorf("%s is not in the document once", name)
		}
	}
	for _, text := range []string{"/*styles*/", "/*script*/"} {
		if strings.Contains(html, text) {
			t.Errorf("%s is left", text)
		}
	}
	ids := map[string]bool{}
	for _, found := range regexp.MustCompile(` id="([^"$]+)"`).FindAllStringSubmatch(html[:strings.Index(html, "<script")], -1) {
		if ids[found[1]] {
			t.Errorf("two elements have the id %s", found[1])
		}
		ids[found[1]] = true
	}
	for _, found := range regexp.MustCompile(`byId\("([^"]+)"\)`).FindAllStringSubmatch(html, -1) {
		if !ids[found[1]] {
			t.Errorf("the script asks for %s, which no element has as its id", found[1])
		}
	}
	for _, pattern := range []string{`\son\w+="`, `\sstyle="`, `\ssrc=`, `https?://`, `@import`, `url\(`, `\beval\(`, `new Function`, `document\.write`, `insertAdjacentHTML`, `outerHTML`} {
		found := regexp.MustCompile(pattern).FindAllString(strings.ReplaceAll(html, "xmlns='http://www.w3.org/2000/svg'", ""), -1)
		if len(found) > 0 {
			t.Errorf("the document has %q", found)
		}
	}
	if n := strings.Count(html, ".innerHTML"); n != 1 {
		t.Errorf("%d places turn text into markup, want the one of the Trusted Types policy", n)
	}
}
