package decode

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestMalformedElements(t *testing.T) {
	deep := strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001)
	for _, tc := range []struct{ element, reason string }{
		{`{"a":"` + "\t" + `"}`, ReasonBadJSON},
		{`{"a":"` + "\x00" + `"}`, ReasonBadJSON},
		{`{"a":"line` + "\n" + `break"}`, ReasonBadJSON},
		{`{"a":"\x41"}`, ReasonBadJSON},
		{`{"a":"\u12"}`, ReasonBadJSON},
		{`{"a":01}`, ReasonBadJSON},
		{`{"a":1.}`, ReasonBadJSON},
		{`{"a":.5}`, ReasonBadJSON},
		{`{"a":+1}`, ReasonBadJSON},
		{`{"a":-}`, ReasonBadJSON},
		{`{"a":1e}`, ReasonBadJSON},
		{`{"a":NaN}`, ReasonBadJSON},
		{`{"a":-Infinity}`, ReasonBadJSON},
		{`{"a":nul}`, ReasonBadJSON},
		{`{"a":True}`, ReasonBadJSON},
		{`{"a" 1}`, ReasonBadJSON},
		{`{"a":1 "b":2}`, ReasonBadJSON},
		{`{"a":1,}`, ReasonBadJSON},
		{`{"a":[1,]}`, ReasonBadJSON},
		{`{"a":[1}}`, ReasonBadJSON}, // as many brackets as expected
		{`{'a':'b'}`, ReasonBadJSON},
		{`{"a":1 /* b */}`, ReasonBadJSON},
		{`{a:1}`, ReasonBadJSON},
		{`{"a":"b" "c" "d"}`, ReasonBadJSON},
		{"\ufeff{}", ReasonBadJSON},
		{"\v1", ReasonBadJSON},
		{"01", ReasonBadJSON},
		{"1.2.3", ReasonBadJSON},
		{"nullx", ReasonBadJSON},
		{`{} {}`, ReasonBadJSON},
		{`"a`, ""},
		{`{"a":"b}`, ""},
		{`{"a":"b\"}`, ""},
		{`{"a":1`, ""},
		{`{"a":1}}`, ""},
		{`[1`, ""},
		{``, ""},
		{deep, reasonTooDeep},
		{`{"a":` + deep + `}`, reasonTooDeep},
		{"[" + deep + ",]", reasonTooDeep},
		{`{"a":"` + strings.Repeat("a", maxElement) + `"}`, reasonTooLarge},
		{`{"a":"` + strings.Repeat("a", maxElement) + "\n" + `"}`, reasonTooLarge},
		{strings.Repeat("[", maxElement) + strings.Repeat("]", maxElement), reasonTooLarge},
	} {
		shown := tc.element[:min(len(tc.element), 40)]
		p, err := New().Decode(`{"data":[{"a":1}, `+tc.element+` ,{"b":1}],"hasMore":false}`, nil)
		if tc.reason == "" {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%q: %v, %d elements", shown, err, p.Elements)
			}
			continue
		}
		if err != nil || p.Elements != 3 || len(p.Rejects) != 3 || p.Rejects[1].Reason != tc.reason {
			t.Errorf("%q: %v, %d elements", shown, err, p.Elements)
			continue
		}
		want := fmt.Sprintf("sha256:%x#0", sha256.Sum256([]byte(tc.element)))
		if r := p.Rejects[1]; r.Key != want || r.ID.Valid || tc.reason != reasonTooLarge && r.Raw != tc.element {
			t.Errorf("%q: key %q, id %v", shown, r.Key, r.ID)
		}
	}
}

// Everything outside of data must be well-formed, since it contains the next cursor.
func TestMalformedPagesOutsideOfData(t *testing.T) {
	for _, end := range []string{`],"a":01,"hasMore":false}`, `],"hasMore":false,}`, `],"hasMore":false,"a":"` + "\n" + `"}`, `],"hasMore":false}}`, `],"hasMore":nul}`, `,],"hasMore":false}`} {
		if p, err := New().Decode(`{"data":[{"a":1}`+end, nil); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v, %d elements", end, err, p.Elements)
		}
	}
}

func TestKeptTextOfRejects(t *testing.T) {
	long := func(of string) string { return strings.Repeat(of, maxRejectText/len(of)) }
	for _, tc := range []struct {
		name, raw, begins string
		kept              int // bytes before the last line; 0: all of it
	}{
		{"maximum length", long("a"), "aaa", 0},
		{"longer", long("a") + "b", "aaa", truncatedLen},
		{"half a character", "a" + long("é"), "aéé", truncatedLen - 1},
		{"a third of a character", "aa" + long("€") + "€", "aa€", truncatedLen - 2},
		{"invalid UTF-8", "a\xffb", `a\xffb`, 0},
		{"one invalid byte", long("a")[4:] + "\xff", "aaa", 0},
		{"two invalid bytes", long("a")[3:] + "\xff\xff", "aaa", truncatedLen},
		{"only invalid bytes", long("\xff"), `\xff\xff`, 4 * truncatedLen},
	} {
		got := keptText(tc.raw)
		if !utf8.ValidString(got) || !strings.HasPrefix(got, tc.begins) {
			t.Errorf("%s: %q", tc.name, got[:20])
		}
		end := fmt.Sprintf("\n[cut off: %d bytes in all, SHA-256 %x]", len(tc.raw), sha256.Sum256([]byte(tc.raw)))
		if cut := strings.HasSuffix(got, end); cut != (tc.kept > 0) || cut && len(got)-len(end) != tc.kept {
			t.Errorf("%s: %d bytes that end in %q", tc.name, len(got), got[max(0, len(got)-200):])
		}
	}
}

func TestCountElements(t *testing.T) {
	for _, tc := range []struct {
		text string
		n    int
		ok   bool
	}{
		{`{"data":[{},{"a":[1,2]},3],"x`, 3, true},
		{` {"pagination":{"data":[1,2]},"x":"data", "data" : [ {"a":"],"},`, 1, true},
		{`{"data":[{"a":"b`, 0, true},
		{`{"data":[`, 0, true},
		{`{"data":[],`, 0, true},
		{`{"data":{`, 0, false},
		{`{"dat`, 0, false},
		{`["data",[1,2]]`, 0, false},
		{`<html>`, 0, false},
		{"", 0, false},
		{strings.Repeat("\x00", 100), 0, false},
	} {
		if n, ok := CountElements(tc.text); n != tc.n || ok != tc.ok {
			t.Errorf("%q: %d, %v", tc.text, n, ok)
		}
	}
}

// A truncator passes on pages without large elements unchanged.
func TestTruncatorKeepsSmallElements(t *testing.T) {
	t.Parallel()
	g := &pageMaker{rng: rand.New(rand.NewPCG(5, 6))}
	for range few(3000) {
		body, _ := g.page()
		readers := map[string]io.Reader{"whole": strings.NewReader(body), "bytes": iotest.OneByteReader(strings.NewReader(body)), "halves": iotest.HalfReader(strings.NewReader(body))}
		for name, from := range readers {
			truncator := NewTruncator(iotest.DataErrReader(from))
			got, err := io.ReadAll(iotest.OneByteReader(truncator))
			if err != nil || string(got) != body || len(truncator.Cuts) > 0 {
				t.Fatalf("%s: %v, %q became %q", name, err, body, got)
			}
		}
	}
}

// Of a large element, the beginning, the size and the digest remain, wherever it is and whatever it contains.
func TestTruncatorCutsLargeElements(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of megabytes")
	}
	t.Parallel()
	const id = "0190a5c4-0000-7000-8000-000000000000"
	event := fmt.Sprintf(typicalEvent, "1769541612369")
	large := map[string]string{
		"a text":   `{"id":"` + id + `","timestamp":1769541612369,"a":"` + strings.Repeat(`x],{"\"\\`, maxElement/8) + `"}`,
		"brackets": strings.Repeat("[", maxElement) + strings.Repeat("]", maxElement),
		"a number": strings.Repeat("7", maxElement+1),
		"controls": `{"id":"` + id + `","a":"` + strings.Repeat("\n\xff", maxElement) + `"}`,
	}
	for name, element := range large {
		places := map[string][]string{"twice": {element, event, element}}
		if name == "a text" {
			places = map[string][]string{"first": {element, event}, "last": {event, element}, "alone": {element}}
		}
		for place, list := range places {
			body := `{"x":[1],"data":[` + strings.Join(list, " , ") + `],"pagination":{"hasMore":true,"nextCursor":"c"}}`
			truncator := NewTruncator(strings.NewReader(body))
			text, err := io.ReadAll(truncator)
			if err != nil || len(text) > len(body)/50 {
				t.Fatalf("%s %s: %d bytes of %d, %v", name, place, len(text), len(body), err)
			}
			d := New()
			d.cuts = truncator.Cuts
			p, err := d.Decode(string(text), nil)
			whole, errWhole := New().Decode(body, nil)
			if err != nil || errWhole != nil || p.Elements != len(list) || len(p.Events) != len(whole.Events) || p.NextCursor != "c" {
				t.Fatalf("%s %s: %d elements, %v, %v", name, place, p.Elements, err, errWhole)
			}
			for i, got := range p.Rejects {
				want := whole.Rejects[i]
				// The white space after an element belongs to it.
				if i > 0 || place == "first" || place == "twice" {
					got.Raw, want.Raw = got.Raw[:1000], want.Raw[:1000]
					got.Key, want.Key = got.Key[:3], want.Key[:3]
				}
				if got.Reason != reasonTooLarge || got.Raw != want.Raw || got.Key != want.Key || got.ID != want.ID {
					t.Errorf("%s %s: %q, %v, %q; want %q, %v", name, place, got.Key, got.ID, got.Raw[len(got.Raw)-200:], want.Key, want.ID)
				}
			}
		}
	}
}

func TestTruncatorEnds(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(`{"data":["`), &endlessText{text: bytes.Repeat([]byte("a"), 1<<20)})
	truncator := NewTruncator(endless)
	truncator.limit = 2 * maxElement
	if n, err := io.Copy(io.Discard, truncator); !errors.Is(err, ErrEndless) || n > maxElement {
		t.Errorf("%d bytes, %v", n, err)
	}
	broken := io.MultiReader(strings.NewReader(`{"data":[{"a":1},{"b`), iotest.ErrReader(io.ErrUnexpectedEOF))
	if text, err := io.ReadAll(NewTruncator(broken)); !errors.Is(err, io.ErrUnexpectedEOF) || string(text) != `{"data":[{"a":1},{"b` {
		t.Errorf("%q, %v", text, err)
	}
}

// endlessText reads as the same text forever.
type endlessText struct{ text []byte }

func (r *endlessText) Read(p []byte) (int, error) { return copy(p, r.text), nil }
