package api

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
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
		"/a%252e", "/a%c2%85b", "/a//b", "/é", "/" + strings.Repeat("a", maxFeedPath), ".", "/.", "javascript:alert(1)",
	} {
		if checkFeedPath(path) == nil {
			t.Errorf("%q was accepted", path)
		}
	}
}

// FuzzCheckFeedPath: what is accepted leads to the very path that was named, on the API's
// own origin, however it is read.
func FuzzCheckFeedPath(f *testing.F) {
	f.Add("/api/v1/events/d4ta/x7k9/feed")
	f.Add("//evil.test")
	base, err := url.Parse("http://api.test:8080/base/")
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
		got := base.ResolveReference(ref)
		again, err := url.Parse(got.String())
		if err != nil {
			t.Fatalf("%q leads to %q: %v", path, got, err)
		}
		// Other readers decode once more, or take some of the text for something else.
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("accepted %q: %v", path, err)
		}
		twice, err := url.PathUnescape(plain)
		if err != nil || twice != plain {
			t.Errorf("%q reads as %q, or as %q: %v", path, plain, twice, err)
		}
		for _, u := range []*url.URL{got, again} {
			if u.Scheme != "http" || u.Host != "api.test:8080" || u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Path != plain {
				t.Errorf("%q leads to %s", path, u)
			}
		}
		if strings.ContainsFunc(plain, unicode.IsControl) || strings.ContainsAny(plain, `\%`) || strings.Contains(plain, "//") ||
			slices.ContainsFunc(strings.Split(plain, "/"), func(s string) bool { return strings.Trim(s, ".") == "" && s != "" && len(s) < 3 }) {
			t.Errorf("accepted %q", path)
		}
	})
}
