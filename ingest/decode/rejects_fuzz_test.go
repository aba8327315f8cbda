package decode

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzCanonicalJSON: the canonical form of each notation of an element, and of the form itself, is that of the
// reference.
func FuzzCanonicalJSON(f *testing.F) {
	f.Add(`{"b":1,"a":{"d":"\u0041","c":[1e2,null]}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		if !json.Valid([]byte(raw)) || len(raw) > 1<<14 {
			return
		}
		var spaced, compact bytes.Buffer
		if err := json.Indent(&spaced, []byte(raw), " ", "\t"); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&compact, []byte(raw)); err != nil {
			t.Fatal(err)
		}
		want := refCanonical(bytes.Trim([]byte(raw), " \t\r\n"), "")
		for _, text := range []string{raw, spaced.String(), compact.String(), want} {
			if got := string(canonicalJSON(text, "")); got != want {
				t.Errorf("%q became %q, want %q", text, got, want)
			}
		}
	})
}
