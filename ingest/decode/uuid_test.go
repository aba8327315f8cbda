package decode

import (
	"testing"

	"github.com/google/uuid"
)

// FuzzParseUUID: parseUUID agrees with package uuid on the usual form. Any other text leaves the result as it was.
func FuzzParseUUID(f *testing.F) {
	f.Add("11111111-1111-4111-8111-111111111111")
	f.Fuzz(func(t *testing.T, text string) {
		before := uuid.MustParse("0123456789abcdef0123456789abcdef")
		got := before
		ok := parseUUID(text, &got)
		want, err := uuid.Parse(text)
		if valid := err == nil && len(text) == 36; ok != valid {
			t.Fatalf("%q: %v, want %v", text, ok, valid)
		}
		if !ok {
			want = before
		}
		if got != want {
			t.Errorf("%q became %s, want %s", text, got, want)
		}
	})
}
