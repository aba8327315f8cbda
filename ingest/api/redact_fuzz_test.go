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

// FuzzHiddenSecrets: in whichever way a server encodes what it sends back, and whatever
// stands around it, an error does not show the key or a token.
func FuzzHiddenSecrets(f *testing.F) {
	f.Add("ds_test_key", "ds_test_token", "a", "b")
	f.Fuzz(func(t *testing.T, key, token, before, behind string) {
		visible := func(r rune) bool { return r <= ' ' || r > '~' }
		if len(key) < leastSecret || len(token) < leastSecret || strings.ContainsFunc(key+token, visible) {
			return // nothing that is sent, or nothing that is looked for
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
				hidden := s.hide(Events, err)
				if said := hidden.Error(); !s.in(text) || strings.Contains(said, text) || !oneShortLine(said) || !errors.Is(hidden, decode.ErrMalformed) {
					t.Fatalf("of %q, which has %q in it, %q is shown", text, secret, said)
				}
			}
		}
	})
}
