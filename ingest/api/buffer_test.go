package api

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestSheetRead(t *testing.T) {
	const limit = 5000
	text := bytes.Repeat([]byte("datasync"), 1000)
	broken := errors.New("reset")
	for _, tc := range []struct {
		name string
		from io.Reader
		size int64
		want int
		err  error
	}{
		{"as announced", bytes.NewReader(text[:4000]), 4000, 4000, nil},
		{"not announced", bytes.NewReader(text[:4000]), -1, 4000, nil},
		{"a byte at a time", iotest.OneByteReader(bytes.NewReader(text[:4000])), 10, 4000, nil},
		{"the end with the last bytes", iotest.DataErrReader(bytes.NewReader(text[:4000])), 4000, 4000, nil},
		{"more than announced", bytes.NewReader(text[:limit]), 10, limit, nil},
		{"nothing", bytes.NewReader(nil), 0, 0, nil},
		{"more than the limit", bytes.NewReader(text), -1, limit + 1, nil},
		{"a huge announcement", bytes.NewReader(text[:10]), 1 << 60, 10, nil},
		{"broken off", io.MultiReader(bytes.NewReader(text[:100]), iotest.ErrReader(broken)), 4000, 100, broken},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &Buffer{text: []byte("what was there before")}
			if err := s.read(tc.from, tc.size, limit, nil); !errors.Is(err, tc.err) {
				t.Fatal(err)
			}
			got := s.Text()
			if len(got) != tc.want && (tc.want <= limit || len(got) <= limit) || got != string(text[:len(got)]) {
				t.Errorf("%d bytes, want %d", len(got), tc.want)
			}
			if cap(s.text) > 2*(limit+1) {
				t.Errorf("%d bytes of memory", cap(s.text))
			}
		})
	}
}
