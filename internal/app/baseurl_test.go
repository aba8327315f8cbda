package app

import (
	"strings"
	"testing"
)

// TestBaseURLErrors: an error about the base URL repeats the scheme, host and path, and no text
// that may be a credential.
func TestBaseURLErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"http://api.test/api/v1", `the base URL has the path "/api/v1": write http://api.test`},
		{"http://api.test:80/api/v1/events/", `the base URL has the path "/api/v1/events/": write http://api.test:80`},
		{"api.test", `the base URL "api.test" has no scheme: write https://api.test`},
		{"api.test:8443/api/v1", `the base URL "api.test:8443" has no scheme: write https://api.test:8443`},
		{"//api.test", `the base URL "api.test" has no scheme: write https://api.test`},
		{"localhost:8080", `the base URL "localhost:8080" has no scheme: write http://localhost:8080`},
		{"127.0.0.1:8080", `the base URL "127.0.0.1:8080" has no scheme: write http://127.0.0.1:8080`},
		{"::1", "the base URL does not begin with http:// or https://: write http://HOST"},
		{"//secret", "the base URL does not begin with http:// or https://: write http://HOST"},
		{"/", "the base URL does not begin with http:// or https://: write http://HOST"},
		{"ftp://api.test", `the base URL has the scheme "ftp": write https://api.test, or http://api.test`},
		{"http://user:secret@api.test", `the base URL has a user name or password before an @: write http://api.test`},
		{"http://api.test?key=secret", "the base URL has a query, which begins with ?: write http://api.test"},
		{"http://api.test?", "the base URL has a query, which begins with ?: write http://api.test"},
		{"http://api.test/#secret", "the base URL has a fragment, which begins with #: write http://api.test"},
		{"http://", "the base URL has no host"},
		{"secret", "the base URL does not begin with"},
		{"secret:secret@api.test", "the base URL does not begin with"},
		{"http:secret:secret@api.test", "the base URL has no host"},
		{"http://user:se/cret@api.test", "the base URL has a user name or password before an @: write http://HOST"},
		{"http://api.test:secret", "the base URL has a port that is not a number: ports are 1 to 65535"},
		{"http://user:secret", "the base URL has a port that is not a number: ports are 1 to 65535"},
		{"http://[::1]:secret/", "the base URL has a port that is not a number"},
		{"http://[::1", "the base URL has an IPv6 address without its ]: write http://[::1]:8080"},
		{"http://::1:8080", "the base URL has a host with several colons: write an IPv6 address as in http://[::1]:8080"},
		{"http://api test", "the base URL contains a space or a control character"},
		{"http://api.test\nsecret", "the base URL contains a space or a control character"},
		{"http://secret:12/secret@api.test", "the base URL has a path: write http://HOST"},
		{"http://secret?secret@api.test", "the base URL has a query, which begins with ?: write http://HOST"},
		{"http://secret#secret@api.test", "the base URL has a fragment, which begins with #: write http://HOST"},
		{"http://secret/secret%40api.test", "the base URL has a path: write http://HOST"},
		{"http://api.test:99999", "the base URL has the port 99999: ports are 1 to 65535"},
	} {
		_, err := parseBaseURL(tc.text)
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") || exitOf(err).Code != 2 {
			t.Errorf("%s: %v, want %q", tc.text, err, tc.want)
		}
	}
}
