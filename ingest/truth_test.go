package ingest_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/internal/store/storetest"

	"github.com/google/uuid"
)

var truthSeeds = flag.Int("truth-seeds", 60, "random histories of an API in TestCompleteIsTrue, of each kind")

// changing is an API whose events change during a pull. Its cursors count from the newest event, or name the last one.
type changing struct {
	offsets bool // cursors count
	until   bool // the feed honours it
	size    int  // of pages
	// expired is the status that answers cursors which are older than two minutes; 0 where they last.
	expired int

	mu     sync.Mutex
	events []happened // newest first
	random *rand.Rand
	now    time.Time
	// between is called before each answer to a request for a page.
	between func()
	pages   int
}

type happened struct {
	at time.Time
	id uuid.UUID
}

func (h happened) newer(o happened) int {
	return cmp.Or(o.at.Compare(h.at), bytes.Compare(o.id[:], h.id[:]))
}

func (h happened) json() string {
	return fmt.Sprintf(`{"id":%q,"sessionId":%q,"type":"click","timestamp":%d}`, h.id, h.id, h.at.UnixMilli())
}

func (c *changing) id() (id uuid.UUID) {
	for i := range id {
		id[i] = byte(c.random.Uint32())
	}
	return id
}

// arrive adds events at the top, some seconds apart.
func (c *changing) arrive(n int) {
	for range n {
		c.now = c.now.Add(time.Duration(1+c.random.IntN(5000)) * time.Millisecond)
		c.put(happened{c.now, c.id()})
	}
}

// arriveLate adds events at most that much older than the newest one.
func (c *changing) arriveLate(n int, within time.Duration) {
	for range n {
		c.put(happened{c.now.Add(-time.Duration(c.random.Int64N(int64(within)))).Truncate(time.Millisecond), c.id()})
	}
}

func (c *changing) put(h happened) {
	i, _ := slices.BinarySearchFunc(c.events, h, happened.newer)
	c.events = slices.Insert(c.events, i, h)
}

// vanish deletes n random events of the newest among.
func (c *changing) vanish(n, among int) {
	for range n {
		if among = min(among, len(c.events)-1); among > 1 {
			i := 1 + c.random.IntN(among-1)
			c.events = slices.Delete(c.events, i, i+1)
		}
	}
}

// expire deletes the n oldest events.
func (c *changing) expire(n int) { c.events = c.events[:max(1, len(c.events)-n)] }

func (c *changing) snapshot() []happened {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.events)
}

func (c *changing) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := c.answer(r)
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)), Request: r}, nil
}

func (c *changing) answer(r *http.Request) (status int, body string) {
	if r.Method == http.MethodPost {
		if !c.until {
			return 404, `{"code":"ENDPOINT_NOT_FOUND"}`
		}
		return 200, `{"streamAccess":{"endpoint":"/feed","token":"ds_test_token","expiresIn":300,"tokenHeader":"X-Stream-Token"}}`
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.between != nil {
		c.between()
	}
	c.pages++
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	limit = min(limit, c.size)
	from := 0
	if text := q.Get("cursor"); text != "" {
		raw, _ := base64.StdEncoding.DecodeString(text)
		var cursor struct {
			Offset *int
			ID     uuid.UUID
			TS     int64
			Made   int64
		}
		if err := json.Unmarshal(raw, &cursor); err != nil {
			return 400, `{"code":"CURSOR_INVALID"}`
		}
		if c.expired != 0 && time.Now().Unix()-cursor.Made > 119 {
			return c.expired, `{"error":"no"}`
		}
		if cursor.Offset != nil {
			from = *cursor.Offset
		} else {
			last := happened{time.UnixMilli(cursor.TS), cursor.ID}
			from, _ = slices.BinarySearchFunc(c.events, last, happened.newer)
			if from < len(c.events) && c.events[from].id == cursor.ID {
				from++
			}
		}
	}
	if text := q.Get("until"); text != "" && r.URL.Path == "/feed" {
		ms, _ := strconv.ParseInt(text, 10, 64)
		for from < len(c.events) && c.events[from].at.UnixMilli() >= ms {
			from++
		}
	}
	from = min(from, len(c.events))
	to := min(from+limit, len(c.events))
	data := []json.RawMessage{}
	for _, e := range c.events[from:to] {
		data = append(data, json.RawMessage(e.json()))
	}
	pagination := map[string]any{"hasMore": to < len(c.events), "nextCursor": nil}
	if to < len(c.events) {
		var cursor []byte
		if c.offsets {
			cursor, _ = json.Marshal(map[string]any{"offset": to, "made": time.Now().Unix()})
		} else {
			cursor, _ = json.Marshal(map[string]any{"id": c.events[to-1].id, "ts": c.events[to-1].at.UnixMilli(), "made": time.Now().Unix()})
		}
		pagination["nextCursor"], pagination["cursorExpiresIn"] = base64.StdEncoding.EncodeToString(cursor), 119
	}
	text, _ := json.Marshal(map[string]any{"data": data, "pagination": pagination, "meta": map[string]any{"total": len(c.events), "returned": len(data)}})
	return 200, string(text)
}

const truthLookback = 10 * time.Minute

// truth is a history of pulls from a changing API.
type truth struct {
	t     *testing.T
	api   *changing
	store *storetest.Memory
	opts  ingest.Options
	// kind is what happens while events are read by cursors that count: 0 and 1 are arrivals, 2
	// and 3 deletions. One of each between two requests may hide each other, which is not promised.
	kind  int
	notes []string
}

func newTruth(t *testing.T, seed uint64, offsets bool, workers int) *truth {
	random := rand.New(rand.NewPCG(seed, 7))
	api := &changing{offsets: offsets, until: workers != 1, size: 5 + random.IntN(20), expired: []int{0, 400, 502}[random.IntN(3)], random: random, now: time.Date(2026, 1, 27, 19, 20, 12, 0, time.UTC)}
	api.arrive(40 + random.IntN(400))
	x := &truth{t: t, api: api, store: storetest.NewMemory()}
	base, _ := url.Parse("http://api.test")
	x.opts = ingest.Options{
		Store: x.store, Transport: api, BaseURL: base, Key: "ds_test_key", PageSize: 100_000, Workers: workers, Lookback: truthLookback,
		MaxWait: 5 * time.Minute, MaxRetryTime: 5 * time.Minute, Now: func() time.Time { return api.now.Add(time.Hour) },
		Notice: func(text string) { x.notes = append(x.notes, text) },
	}
	return x
}

// pull pulls once. If the result is complete, it checks that no event is missing.
func (x *truth) pull() error {
	x.t.Helper()
	began := x.api.snapshot()
	summary, err := ingest.Run(x.t.Context(), x.opts)
	ended := x.api.snapshot()
	x.store.Fail = nil
	if err != nil || !summary.Complete {
		return err
	}
	stored := map[uuid.UUID]bool{}
	for _, e := range x.store.Events() {
		stored[e.ID] = true
	}
	windows, err := x.store.Windows(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	last := 0
	for last+1 < len(windows) && windows[last+1].Whole == windows[0].Whole {
		last++
	}
	border := windows[last].Lower
	still := map[uuid.UUID]bool{}
	for _, e := range ended {
		still[e.id] = true
	}
	for i, e := range began {
		if still[e.id] && !stored[e.id] && (!border.Valid || e.at.UnixMicro() >= int64(border.V)) {
			x.t.Errorf("complete, but event %d of %d, at %s, is not here; border %v, notices %q", i, len(began), e.at, border, x.notes)
			break
		}
	}
	return nil
}

// step changes the API between two pulls.
func (x *truth) step() {
	a, r := x.api, x.api.random
	switch r.IntN(6) {
	case 0:
		a.arrive(r.IntN(3 * a.size))
	case 1:
		a.vanish(1+r.IntN(10), len(a.events))
	case 2:
		a.vanish(1+r.IntN(5), 2*a.size)
	case 3:
		a.expire(r.IntN(30))
	case 4:
		a.arriveLate(1+r.IntN(8), truthLookback-time.Minute)
	case 5: // replaced
		n := 1 + r.IntN(10)
		a.vanish(n, 60)
		a.arriveLate(n, 2*time.Minute)
	}
}

// whileRead changes the API between two requests; with cursors that count, not by both arrivals and deletions.
func (x *truth) whileRead() {
	a, r := x.api, x.api.random
	if r.IntN(3) > 0 {
		return
	}
	kind := r.IntN(4)
	switch {
	case a.offsets && x.opts.Workers == 1:
		// One kind between two requests, whichever.
	case a.offsets:
		kind = x.kind + r.IntN(2)
	}
	switch kind {
	case 0:
		a.arrive(1 + r.IntN(4))
	case 3:
		a.vanish(1+r.IntN(4), len(a.events))
	case 2:
		a.expire(1 + r.IntN(5))
	case 1:
		a.arriveLate(1+r.IntN(3), truthLookback-time.Minute)
	}
}

// "Complete" is always true, whatever changes during a pull, and two pulls of an API at rest store everything.
func TestCompleteIsTrue(t *testing.T) {
	for _, offsets := range []bool{false, true} {
		for _, workers := range []int{1, 4} {
			for seed := range few(uint64(*truthSeeds)) {
				t.Run(fmt.Sprintf("offsets %v, workers %d, seed %d", offsets, workers, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						x := newTruth(t, seed, offsets, workers)
						r := x.api.random
						for range 2 + r.IntN(6) {
							x.api.between = nil
							x.kind = 2 * r.IntN(2)
							if r.IntN(4) > 0 {
								x.api.between = x.whileRead
							}
							kill := r.IntN(3) == 0
							if at := r.IntN(12); kill {
								x.store.Fail = func(operation string) error {
									if at--; at < 0 {
										return errors.New("killed")
									}
									return nil
								}
							}
							if err := x.pull(); err != nil && !kill && !errors.Is(err, walk.ErrMissing) {
								t.Logf("a pull ended with: %v", err)
							}
							x.store.Fail = nil
							for range r.IntN(3) {
								x.step()
							}
							if r.IntN(3) == 0 {
								pass(5 * time.Minute) // cursors expire
							}
						}
						x.api.between = nil
						if err := x.pull(); err != nil && !errors.Is(err, walk.ErrMissing) {
							t.Errorf("the first pull of a still API: %v", err)
						}
						if err := x.pull(); err != nil {
							t.Errorf("the second pull of a still API: %v", err)
						}
						stored := map[uuid.UUID]bool{}
						for _, e := range x.store.Events() {
							stored[e.ID] = true
						}
						missing := 0
						for _, e := range x.api.events {
							if !stored[e.id] {
								missing++
							}
						}
						if missing > 0 {
							t.Errorf("%d of %d events are not here; notices %q", missing, len(x.api.events), x.notes)
						}
					})
				})
			}
		}
	}
}

var _ = model.Done
