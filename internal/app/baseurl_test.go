package app

import (
	"strings"
	"testing"
)

// TestBaseURLErrors: an error about the base URL repeats the scheme, host and path, and no text
// that may be a credential.
func TestBaseURLErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"http://api.test/path", `the base URL "http://api.test/path" must not have a path`},
		{"ftp://api.test", `the base URL "ftp://api.test" does not begin with http:// or https://`},
		{"http://user:secret@api.test", `the base URL "http://api.test" must not have a user name or password`},
		{"http://api.test?key=secret", `the base URL "http://api.test" must not have a query or fragment`},
		{"http://api.test/#secret", `the base URL "http://api.test/" must not have a query or fragment`},
		{"http://", "the base URL has no host"},
		{"secret", "the base URL does not begin with"},
		{"secret:secret@api.test", "the base URL does not begin with"},
		{"http:secret:secret@api.test", "the base URL has no host"},
		{"http://user:se/cret@api.test", "the base URL cannot be parsed"},
		{"http://secret:12/secret@api.test", "the base URL must not have a path"},
		{"http://secret?secret@api.test", "the base URL must not have a query"},
		{"http://secret#secret@api.test", "the base URL must not have a query or fragment"},
		{"http://secret/secret%40api.test", "the base URL must not have a path"},
		{"http://api.test:99999", "the base URL has the port 99999: ports are 1 to 65535"},
	} {
		_, err := parseBaseURL(tc.text)
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") || exitOf(err).Code != 2 {
			t.Errorf("%s: %v, want %q", tc.text, err, tc.want)
		}
	}
}
