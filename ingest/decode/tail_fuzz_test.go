package decode

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzPeekTail: the result at the end of any page equals that of encoding/json for the whole page.
func FuzzPeekTail(f *testing.F) {
	f.Add(`{"id":"1"}`, `,"pagination":{"hasMore":true,"nextCursor":"c"}}`, uint16(300))
	f.Add(`{"a":"],\"hasMore\":true"}`, `,"hasMore":true,"nextCursor":"c","cursorExpiresIn":119}`, uint16(3))
	f.Add(`{"id":"1"}`, `,"pagination":{"hasMore":true,"nextCursor": 0 }}`, uint16(300))
	f.Add(`{"id":"1"}`, `,"hasMore":true,"nextCursor":-1.50e+99}`, uint16(3))
	f.Fuzz(func(t *testing.T, inside, after string, times uint16) {
		body := `{"data":[` + strings.Repeat(inside+",", int(times%2048)) + inside + `]` + after
		if len(body) > 1<<17 {
			return
		}
		hint, ok := PeekTail(body)
		if !ok || !json.Valid([]byte(body)) || anotherLongArray(body) {
			return
		}
		var top refObject
		if err := json.Unmarshal([]byte(body), &top); err != nil {
			t.Fatal(err)
		}
		var want Page
		if !refPagination(&want, top) || hint != (tail{want.HasMore, want.NextCursor, want.CursorLife}) {
			t.Errorf("the tail has %+v, encoding/json %v %q %v\n%q", hint, want.HasMore, want.NextCursor, want.CursorLife, body)
		}
	})
}

// anotherLongArray reports whether an array other than data exceeds tailWindow. See peekFlat.
func anotherLongArray(body string) bool {
	decoder := json.NewDecoder(strings.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return true
	}
	for n := 0; decoder.More(); n++ {
		var raw json.RawMessage
		if _, err := decoder.Token(); err != nil || decoder.Decode(&raw) != nil {
			return true
		}
		if n > 0 && len(raw) > tailWindow {
			return true
		}
	}
	return false
}
