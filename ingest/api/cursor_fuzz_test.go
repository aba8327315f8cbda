package api

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tokensOf returns the tokens of a JSON text.
func tokensOf(text string) (tokens []json.Token) {
	decoder := json.NewDecoder(strings.NewReader(text))
	for decoder.UseNumber(); ; {
		token, err := decoder.Token()
		if err != nil {
			return tokens
		}
		tokens = append(tokens, token)
	}
}

// FuzzRewriteCursor: a renewed cursor differs only in the intended numbers.
func FuzzRewriteCursor(f *testing.F) {
	for _, text := range []string{`{"id":"1","ts":1769541612369,"v":2,"exp":1769541731369}`, `{"exp":1.5}`, `{"exp":1,"exp":2}`, "hello"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(text)), int64(1))
	}
	now := time.UnixMilli(1769541612369)
	f.Fuzz(func(t *testing.T, cursor string, ms int64) {
		end := json.Number(strconv.FormatInt(now.Add(renewedLife).UnixMilli(), 10))
		renewed, ok := RenewCursor(cursor, now)
		checkRewritten(t, cursor, renewed, ok, end)
		moved, both := CursorBelow(cursor, ms, now)
		checkRewritten(t, cursor, moved, both, end, json.Number(strconv.FormatInt(ms, 10)))
		if both && !ok {
			t.Errorf("%q can be moved to %q, but not be renewed", cursor, moved)
		}
	})
}

// checkRewritten compares a cursor with its rewritten form: only as many numbers may differ as are given, and these must
// be the given ones.
func checkRewritten(t *testing.T, before, after string, ok bool, numbers ...json.Number) {
	t.Helper()
	if !ok {
		if after != "" {
			t.Errorf("%q became %q all the same", before, after)
		}
		return
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		text, err := encoding.DecodeString(before)
		if err != nil {
			continue
		}
		changed, err := encoding.DecodeString(after)
		if err != nil {
			t.Fatalf("%q became %q, in another alphabet: %v", before, after, err)
		}
		if !json.Valid(text) {
			return
		}
		was, is := tokensOf(string(text)), tokensOf(string(changed))
		if !json.Valid(changed) || len(was) != len(is) {
			t.Fatalf("%q became %q", text, changed)
		}
		others := 0
		for i := range was {
			if was[i] == is[i] {
				continue
			}
			n, isNumber := is[i].(json.Number)
			if others++; !isNumber || !slices.Contains(numbers, n) || others > len(numbers) {
				t.Fatalf("%q became %q", text, changed)
			}
		}
		return
	}
	t.Errorf("%q became %q though it is no Base64", before, after)
}
