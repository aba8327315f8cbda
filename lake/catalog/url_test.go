package catalog

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"datasync/internal/model"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ url, address, want string }{
		{"https://h.test/api/catalog", "https://h.test/api/catalog", ""},
		{"https://h.test/api/catalog/", "https://h.test/api/catalog", ""},
		{"http://127.0.0.1:8181/v1", "http://127.0.0.1:8181", ""},
		{"https://h.test?warehouse=w&scope=PRINCIPAL_ROLE:ALL", "https://h.test", ""},
		{"https://me:secret@h.test", "", "DATASYNC_CATALOG_CREDENTIAL"},
		{"https://h.test?token=secret", "", "unknown parameter"},
		{"ftp://h.test", "", "write https://"},
		{"h.test", "", "write https://"},
		{"https://h.test#x", "", "after #"},
		{"https://h.test?oauth2-server-uri=nowhere", "", "is no URL"},
	} {
		t.Run(c.url, func(t *testing.T) {
			address, _, err := parse(c.url)
			if c.want == "" {
				if err != nil || address != c.address {
					t.Errorf("address %q, error %v; want %q", address, err, c.address)
				}
				return
			}
			if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || model.ExitOf(err).Code != model.ExitUsage {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestName(t *testing.T) {
	for text, want := range map[string]int{"a.b": 2, "a.b.c": 3, "a": 0, "": 0, "a.": 0, ".b": 0, "a/b.c": 0, "a.b\n": 0, "ü.é": 2} {
		if parts, err := Name(text); len(parts) != want || (err != nil) != (want == 0) || err != nil && !errors.Is(err, ErrURL) {
			t.Errorf("%q: %q, %v", text, parts, err)
		}
	}
}

// TestFailuresOfACatalog compares a catalog's first response with the message for the user.
func TestFailuresOfACatalog(t *testing.T) {
	const secret = "ds_test_client_secret"
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		kind   error
		text   string
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, ErrRefused, "check DATASYNC_CATALOG_CREDENTIAL"},
		{"forbidden", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, ErrRefused, "check DATASYNC_CATALOG_CREDENTIAL"},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>" + secret)) }, ErrService, ""},
		{"echoes the secret", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error": {"message": "no client ` + secret + `", "type": "BadRequestException", "code": 400}}`))
		}, ErrService, "no client ***"},
		{"not a catalog", http.NotFound, ErrService, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/oauth/tokens") {
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(`{"access_token": "ds_test_token", "token_type": "bearer", "expires_in": 3600}`))
					return
				}
				c.answer(w, r)
			}))
			defer server.Close()
			_, err := Open(t.Context(), Options{URL: server.URL, Credential: "id:" + secret})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), server.URL) {
				t.Fatalf("error %v, want %v with %q", err, c.kind, c.text)
			}
			if text := err.Error(); strings.Contains(text, secret) || strings.Contains(text, "\n") || model.ExitOf(err).Code != model.ExitError || model.ExitOf(err).Topic != "lake" {
				t.Errorf("error %q, exit %+v", text, model.ExitOf(err))
			}
		})
	}
	t.Run("unreachable catalog", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if _, err := Open(t.Context(), Options{URL: server.URL}); !errors.Is(err, ErrService) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error %v", err)
		}
	})
}

// TestRetries has a catalog fail twice: the client repeats safe requests, but not a commit.
func TestRetries(t *testing.T) {
	for method, want := range map[string]int{http.MethodGet: 3, http.MethodPost: 1} {
		t.Run(method, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked < 3 {
					w.WriteHeader(http.StatusBadGateway)
				}
			}))
			defer server.Close()
			request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/v1/namespaces/a/tables/b", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := newRetrying().RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			if err := response.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if asked != want {
				t.Errorf("asked %d times, want %d", asked, want)
			}
		})
	}
}
