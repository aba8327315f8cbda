package api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"datasync/ingest/decode"
)

// FuzzRedactedSecrets: an error never shows the key or a token, in any encoding and context.
func FuzzRedactedSecrets(f *testing.F) {
	f.Add("ds_test_key", "ds_test_token", "a", "b")
	f.Fuzz(func(t *testing.T, key, token, before, behind string) {
		invisible := func(r rune) bool { return r <= ' ' || r > '~' }
		if len(key) < minSecretLen || len(token) < minSecretLen || strings.ContainsFunc(key+token, invisible) {
			return // never sent, or too short to look for
		}
		s := newSecrets(Secret(key))
		s.add(token)
		s.add("ds_test_newer")
		for _, secret := range []string{key, token} {
			sent := before + secret + behind
			for _, text := range []string{
				sent, strings.ToUpper(secret), url.QueryEscape(sent), url.PathEscape(sent), hex.EncodeToString([]byte(sent)), base64.StdEncoding.EncodeToString([]byte(sent)),
				base64.RawStdEncoding.EncodeToString([]byte(sent)), base64.URLEncoding.EncodeToString([]byte(sent)), base64.RawURLEncoding.EncodeToString([]byte(sent)),
			} {
				err := fmt.Errorf("it sent %s: %w", text, decode.ErrMalformed)
				redacted := s.redact(Events, err)
				if shown := redacted.Error(); !s.containedIn(text) || strings.Contains(shown, text) || !oneShortLine(shown) || !errors.Is(redacted, decode.ErrMalformed) {
					t.Fatalf("%q contains %q, and the error is %q", text, secret, shown)
				}
			}
		}
	})
}
