package api

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/ingest/decode"
)

// link is a server and the way to it, as far as compression looks at them.
type link struct {
	plain, gzip float64 // inflated bytes a second of the whole fetch
	size        int     // of a page; a megabyte if 0
	never       bool    // the server does not compress
	always      bool    // it does so unasked
	err         error   // what a request for gzip fails with
	noise       func() float64
}

// play lets pages come over the link and returns how each was asked for, as runs such
// as "3 plain, 1 gzip", and how long all of them took.
func play(c *compression, pages int, l link) (string, time.Duration) {
	size := l.size
	if size == 0 {
		size = 1e6
	}
	var asked []string
	var all time.Duration
	for range pages {
		gzip := c.ask()
		asked = append(asked, map[bool]string{true: "gzip", false: "plain"}[gzip])
		if gzip && l.err != nil {
			_ = c.blame(l.err)
			continue
		}
		comes := (gzip || l.always) && !l.never
		rate := l.plain
		if comes {
			rate = l.gzip
		}
		if l.noise != nil {
			rate *= l.noise()
		}
		took := time.Duration(float64(size) / rate * float64(time.Second))
		all += took
		c.came(size, took, gzip, comes)
	}
	return runs(asked), all
}

func runs(words []string) string {
	var out []string
	for len(words) > 0 {
		n := slices.IndexFunc(words, func(w string) bool { return w != words[0] })
		if n < 0 {
			n = len(words)
		}
		out, words = append(out, fmt.Sprint(n, " ", words[0])), words[n:]
	}
	return strings.Join(out, ", ")
}

func TestCompressionIsChosen(t *testing.T) {
	inflate, refused := fmt.Errorf("%w: gzip: invalid checksum", decode.ErrMalformed), &APIError{Status: 406}
	for _, tc := range []struct {
		name  string
		pages int
		link  link
		want  string
	}{
		// The first page sets the connection up, three are measured, one is a trial.
		{"a slow link", 20, link{plain: 5e6, gzip: 20e6}, "4 plain, 16 gzip"},
		// A trial of the slower way costs the time of 4 pages: there is one after 16, 32
		// and so on times as much.
		{"a slow link, at length", 300, link{plain: 5e6, gzip: 20e6}, "4 plain, 64 gzip, 1 plain, 128 gzip, 1 plain, 102 gzip"},
		{"a link as fast as inflating", 5000, link{plain: 200e6, gzip: 220e6}, "5000 plain"},
		{"a link that takes no time", 5000, link{plain: 1e18, gzip: 220e6}, "5000 plain"},
		{"a server that compresses slowly", 60, link{plain: 100e6, gzip: 50e6}, "4 plain, 1 gzip, 32 plain, 1 gzip, 22 plain"},
		{"latency is all", 60, link{plain: 1e6, gzip: 1.1e6}, "4 plain, 1 gzip, 16 plain, 1 gzip, 32 plain, 1 gzip, 5 plain"},
		{"tiny pages", 500, link{plain: 1e6, gzip: 4e6, size: tinyPage - 1}, "500 plain"},
		{"no tiny pages", 6, link{plain: 1e6, gzip: 4e6, size: tinyPage}, "4 plain, 2 gzip"},
		{"a server without gzip", 2000, link{plain: 5e6, never: true}, "4 plain, 1 gzip, 1023 plain, 1 gzip, 971 plain"},
		{"a server that always compresses", 2000, link{gzip: 5e6, always: true}, "2000 plain"},
		{"gzip that cannot be inflated", 2000, link{plain: 5e6, err: inflate}, "4 plain, 1 gzip, 1024 plain, 1 gzip, 970 plain"},
		{"gzip that is refused", 500, link{plain: 5e6, err: refused}, "4 plain, 1 gzip, 495 plain"},
		// It may be anything at first, but not twice.
		{"gzip that hangs", 500, link{plain: 5e6, err: errors.New("too little")}, "4 plain, 1 gzip, 16 plain, 1 gzip, 478 plain"},
		{"no answer of its own", 10, link{plain: 5e6, err: &APIError{Status: 429}}, "4 plain, 6 gzip"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, _ := play(&compression{}, tc.pages, tc.link); got != tc.want {
				t.Errorf("%s; want %s", got, tc.want)
			}
		})
	}
}

// What was found out is found out again where the link changes.
func TestCompressionFollowsTheLink(t *testing.T) {
	slow, fast, none := link{plain: 5e6, gzip: 20e6}, link{plain: 400e6, gzip: 180e6}, link{plain: 5e6, never: true}
	failing, corrupt := link{plain: 5e6, gzip: 20e6, err: errors.New("reset")}, link{plain: 5e6, err: decode.ErrMalformed}
	type stretch struct {
		pages int
		link  link
		want  string
	}
	for _, tc := range []struct {
		name      string
		stretches []stretch
	}{
		{"it gets fast", []stretch{{20, slow, "4 plain, 16 gzip"}, {1000, fast, "2 gzip, 998 plain"}}},
		{"it gets fast late", []stretch{{1000, slow, "4 plain, 64 gzip, 1 plain, 128 gzip, 1 plain, 256 gzip, 1 plain, 512 gzip, 1 plain, 32 gzip"}, {1000, fast, "2 gzip, 998 plain"}}},
		{"it gets slow", []stretch{{50, fast, "50 plain"}, {30, slow, "2 plain, 28 gzip"}}},
		{"it gets slow and fast again", []stretch{{50, fast, "50 plain"}, {30, slow, "2 plain, 28 gzip"}, {1000, fast, "2 gzip, 998 plain"}, {30, slow, "4 plain, 26 gzip"}}},
		{"the server stops compressing", []stretch{{20, slow, "4 plain, 16 gzip"}, {1100, none, "1 gzip, 3 plain, 1 gzip, 1023 plain, 1 gzip, 71 plain"}}},
		{"one failure is none of gzip's", []stretch{{20, slow, "4 plain, 16 gzip"}, {1, failing, "1 gzip"}, {20, slow, "20 gzip"}}},
		{"two failures", []stretch{{20, slow, "4 plain, 16 gzip"}, {2, failing, "2 gzip"}, {30, slow, "4 plain, 26 gzip"}}},
		{"one that is", []stretch{{20, slow, "4 plain, 16 gzip"}, {1, corrupt, "1 gzip"}, {30, slow, "4 plain, 26 gzip"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &compression{}
			for i, s := range tc.stretches {
				if got, _ := play(c, s.pages, s.link); got != s.want {
					t.Errorf("stretch %d: %s; want %s", i, got, s.want)
				}
			}
		})
	}
}

// On links whose speed varies from page to page it is hardly slower than the better way.
func TestCompressionUnderNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		plain := 1e6 * math.Pow(300, random.Float64()) // 1 to 300 MB/s
		l := link{plain: plain, gzip: min(plain*(0.8+4*random.Float64()), 200e6)}
		spread, stalls := random.Float64(), random.Float64()/50
		l.noise = func() float64 {
			if random.Float64() < stalls {
				return 0.1
			}
			return 1 - spread/2 + spread*random.Float64()
		}
		const pages = 1000
		_, took := play(&compression{}, pages, l)
		best := time.Duration(math.MaxInt64)
		for _, rate := range []float64{l.plain, l.gzip} {
			var all float64
			for range pages {
				all += 1e6 / (rate * l.noise())
			}
			best = min(best, time.Duration(all*float64(time.Second)))
		}
		if loss := took.Seconds()/best.Seconds() - 1; loss > 0.3 {
			t.Errorf("%.0f%% slower than the better way: %.0f and %.0f MB/s, spread %.2f, stalls %.3f", 100*loss, l.plain/1e6, l.gzip/1e6, spread, stalls)
		}
	}
}
