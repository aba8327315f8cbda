package decode

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// FuzzDecodePage: the decoder and the reference agree on any body, and PeekTail does not contradict them.
func FuzzDecodePage(f *testing.F) {
	g := &pageMaker{rng: rand.New(rand.NewPCG(3, 4))}
	for range 50 {
		body, _ := g.page()
		f.Add(body)
	}
	f.Add(ordinaryPage(1))
	f.Add(ordinaryPage(3))
	for _, body := range []string{
		"", "null", "[]", "{}", "<html>", `{"data":[]}`, `{"data":[],"pagination":{"hasMore":false,"nextCursor":null}}`,
		`{"data":[],"hasMore":true,"nextCursor":"c"}`, `{"data":[{}],"pagination":{"hasMore":true},"meta":{"returned":1}}`, "\ufeff{}",
		`{"data":[],"hasMore":true,"nextCursor":0}`, `{"data":[],"pagination":{"hasMore":true,"nextCursor": 12345678901234567890 }}`, `{"data":[],"hasMore":true,"nextCursor":false}`,
		`{"data":[{"id":"a\tb"},{"a":1,},nul,01,{'a':1},{"a":1}{"b":2}],"hasMore":false}`, `{"data":[{"a":"b},{}],"hasMore":false}`, `{"data":[{"a":[1}],"hasMore":false}`,
		`{"data":[,],"hasMore":false}`, `{"data":[` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `],"hasMore":false}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d := New()
		if _, err := d.Decode(ordinaryPage(4), nil); err != nil {
			t.Fatal(err)
		}
		if len(body) > 1<<16 {
			t.Skip("the reference takes too long")
		}
		p, ok := checkAgainstReference(t, d, body)
		hint, peeked := PeekTail(body)
		if ok && p.Damaged == 0 && peeked && (hint.HasMore != p.HasMore || hint.NextCursor != p.NextCursor) {
			t.Errorf("the tail says %v %q, the page %v %q\n%q", hint.HasMore, hint.NextCursor, p.HasMore, p.NextCursor, body)
		}
	})
}
