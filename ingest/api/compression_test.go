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

// link is a server and the network path to it.
type link struct {
	plain, gzip float64 // decompressed bytes a second of the whole request
	size        int     // of a page; a megabyte if 0
	never       bool    // the server does not compress
	always      bool    // it compresses unrequested pages
	err         error   // of a request with gzip
	noise       func() float64
}

// play fetches pages over the link. It returns how each was requested, as runs such as "3 plain, 1 gzip",
// and the time of all of them.
func play(c *compression, pages int, l link) (string, time.Duration) {
	size := l.size
	if size == 0 {
		size = 1e6
	}
	var requested []string
	var all time.Duration
	for range pages {
		gzip := c.wantsGzip()
		encoding := "plain"
		if gzip {
			encoding = "gzip"
		}
		requested = append(requested, encoding)
		if gzip && l.err != nil {
			_ = recordGzipError(c, l.err)
			continue
		}
		gzipped := (gzip || l.always) && !l.never
		rate := l.plain
		if gzipped {
			rate = l.gzip
		}
		if l.noise != nil {
			rate *= l.noise()
		}
		took := time.Duration(float64(size) / rate * float64(time.Second))
		all += took
		c.onPage(size, took, gzip, gzipped)
	}
	return runs(requested), all
}

// runs counts consecutive equal words.
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

func TestCompressionChoosesFasterEncoding(t *testing.T) {
	inflate, refused := fmt.Errorf("%w: gzip: invalid checksum", decode.ErrMalformed), &Error{Status: 406}
	for _, tc := range []struct {
		name  string
		pages int
		link  link
		want  string
	}{
		// The first page includes the connection setup, three are measured, one is a trial.
		{"a slow link", 20, link{plain: 5e6, gzip: 20e6}, "4 plain, 16 gzip"},
		// A trial of the slower encoding takes the time of 4 pages. The cooldown is 16 times as
		// long, then 32 times, and so on.
		{"a slow link, for long", 300, link{plain: 5e6, gzip: 20e6}, "4 plain, 64 gzip, 1 plain, 128 gzip, 1 plain, 102 gzip"},
		{"a link as fast as decompression", 5000, link{plain: 200e6, gzip: 220e6}, "5000 plain"},
		{"a link that takes no time", 5000, link{plain: 1e18, gzip: 220e6}, "5000 plain"},
		{"a server that compresses slowly", 60, link{plain: 100e6, gzip: 50e6}, "4 plain, 1 gzip, 32 plain, 1 gzip, 22 plain"},
		{"nothing but latency", 60, link{plain: 1e6, gzip: 1.1e6}, "4 plain, 1 gzip, 16 plain, 1 gzip, 32 plain, 1 gzip, 5 plain"},
		{"tiny pages", 500, link{plain: 1e6, gzip: 4e6, size: minMeasuredPage - 1}, "500 plain"},
		{"no tiny pages", 6, link{plain: 1e6, gzip: 4e6, size: minMeasuredPage}, "4 plain, 2 gzip"},
		{"a server without gzip", 2000, link{plain: 5e6, never: true}, "4 plain, 1 gzip, 1023 plain, 1 gzip, 971 plain"},
		{"a server that always compresses", 2000, link{gzip: 5e6, always: true}, "2000 plain"},
		{"corrupt gzip", 2000, link{plain: 5e6, err: inflate}, "4 plain, 1 gzip, 1024 plain, 1 gzip, 970 plain"},
		{"refused gzip", 500, link{plain: 5e6, err: refused}, "4 plain, 1 gzip, 495 plain"},
		// The first failure may have any cause, a second one counts against gzip.
		{"gzip that hangs", 500, link{plain: 5e6, err: errors.New("too little")}, "4 plain, 1 gzip, 16 plain, 1 gzip, 478 plain"},
		{"a rate limit", 10, link{plain: 5e6, err: &Error{Status: 429}}, "4 plain, 6 gzip"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, _ := play(&compression{}, tc.pages, tc.link); got != tc.want {
				t.Errorf("%s; want %s", got, tc.want)
			}
		})
	}
}

// The choice adapts to a link that changes.
func TestCompressionFollowsLink(t *testing.T) {
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
		{"one failure", []stretch{{20, slow, "4 plain, 16 gzip"}, {1, failing, "1 gzip"}, {20, slow, "20 gzip"}}},
		{"two failures", []stretch{{20, slow, "4 plain, 16 gzip"}, {2, failing, "2 gzip"}, {30, slow, "4 plain, 26 gzip"}}},
		{"corrupt gzip", []stretch{{20, slow, "4 plain, 16 gzip"}, {1, corrupt, "1 gzip"}, {30, slow, "4 plain, 26 gzip"}}},
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

// On links of varying speed, the choice costs little compared to the better encoding.
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
			t.Errorf("%.0f%% slower than the better encoding: %.0f and %.0f MB/s, spread %.2f, stalls %.3f", 100*loss, l.plain/1e6, l.gzip/1e6, spread, stalls)
		}
	}
}
