package ingest

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckFeedPath(t *testing.T) {
	for _, path := range []string{"/api/v1/events/d4ta/x7k9/feed", "/feed", "/a%20b/c", "/a:b", "/a;b=c"} {
		if err := checkFeedPath(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{
		"", "feed", "http://evil.test/feed", "//evil.test/feed", `/\evil.test`, `\\evil.test`, "/../admin", "/a/../b", "/%2e%2e/admin",
		"/a/%2E%2e", "/a%2fb", "/a%5cb", "/user@evil.test", "/a b", "/a\nb", "/a%0ab", "/a\x00", "/a%00", "/a?b=c", "/a#b", "/%zz",
		"/a%252e", "/a//b", "/é", "/" + strings.Repeat("a", maxFeedPath), ".", "/.", "javascript:alert(1)",
	} {
		if checkFeedPath(path) == nil {
			t.Errorf("%q was accepted", path)
		}
	}
}

func FuzzCheckFeedPath(f *testing.F) {
	f.Add("/api/v1/events/d4ta/x7k9/feed")
	f.Add("//evil.test")
	base, err := url.Parse("http://api.test:8080")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if checkFeedPath(path) != nil {
			return
		}
		ref, err := url.Parse(path)
		if err != nil {
			t.Fatalf("accepted %q, which is no URL: %v", path, err)
		}
		if got := base.ResolveReference(ref); got.Host != base.Host || got.Scheme != base.Scheme || got.User != nil {
			t.Errorf("%q leads to %s", path, got)
		}
	})
}
