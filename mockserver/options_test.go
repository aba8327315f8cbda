package mockserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

// small gives the options a small set of data.
func small(o mockserver.Options) mockserver.Options {
	if o.Data.Events == 0 {
		o.Data.Events = 100
	}
	return o
}

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		opts mockserver.Options
		ok   bool
	}{
		{"zero", mockserver.Options{}, true},
		{"contract", mockserver.Contract(), true},
		{"observed", mockserver.Observed(), true},
		{"time scale below one", mockserver.Options{TimeScale: 0.5}, false},
		{"time scale above ten", mockserver.Options{TimeScale: 11}, false},
		{"too many events", mockserver.Options{Data: mockserver.DataOptions{Events: 2_000_000_000}}, false},
		{"tie larger than its block", mockserver.Options{Data: mockserver.DataOptions{TieSize: 5, TieEvery: 4}}, false},
		{"swap beyond its block", mockserver.Options{Data: mockserver.DataOptions{SwapEvery: 5, SwapDistance: 5}}, false},
		{"every event late", mockserver.Options{Data: mockserver.DataOptions{LateEvery: 1}}, false},
		{"chaos rate", mockserver.Options{ChaosRate: 2}, false},
		{"script without faults", mockserver.Options{Scripts: []mockserver.Script{{}}}, false},
		{"late events before the first request", mockserver.Options{RevealAfter: -1}, false},
		{"key life below zero", mockserver.Options{KeyLife: -1}, false},
		{"cursor error below 400", mockserver.Options{Cursor: mockserver.Cursors{ErrorStatus: 302}}, false},
		{"cursor error of 502", mockserver.Options{Cursor: mockserver.Cursors{ErrorStatus: 502}}, true},
		{"outside of 200", mockserver.Options{Feed: mockserver.Pages{OutsideStatus: 200}}, false},
		{"outside of 418", mockserver.Options{Events: mockserver.Pages{OutsideStatus: 418}}, true},
		{"negative budget of sessions", mockserver.Options{Sessions: mockserver.RateLimit{Requests: -1}}, false},
		{"negative rate", mockserver.Options{Rate: -1}, false},
		{"negative budget", mockserver.Options{Events: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: -1}}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.opts.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

func TestParseProfile(t *testing.T) {
	for _, name := range mockserver.Profiles() {
		opts, err := mockserver.ParseProfile(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := opts.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		synctest.Test(t, func(t *testing.T) {
			opts := opts.WithoutLatency()
			opts.Data.Events = 1000
			s := mockserver.New(opts)
			a, begin := newAPI(t, s), time.Now()
			checkWalk(t, s, a.walk(mockserver.EventsPath, 200, ""))
			checkWalk(t, s, a.walk(a.openFeed(), 200, ""))
			if time.Since(begin) != 0 {
				t.Errorf("%s: a walk without latency took %v", name, time.Since(begin))
			}
		})
	}
	if _, err := mockserver.ParseProfile("other"); err == nil || !strings.Contains(err.Error(), "contract") {
		t.Errorf("unknown profile: %v", err)
	}
}

func TestLimit(t *testing.T) {
	tests := []struct {
		name, limit string
		want        int
	}{
		{"as asked", "7", 7},
		{"capped", "100000", 40},
		{"none", "", 25},
	}
	s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{Cap: 40, DefaultLimit: 25}}))
	a := newAPI(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := a.mustPage(mockserver.EventsPath, "limit", tt.limit)
			if len(p.Data) != tt.want || p.Pagination.Limit != tt.want || p.Meta.Returned != tt.want {
				t.Errorf("%d events, limit %d, returned %d, want %d", len(p.Data), p.Pagination.Limit, p.Meta.Returned, tt.want)
			}
			if *p.Meta.Total != 100 || !p.Pagination.HasMore || p.Pagination.CursorExpiresIn != 119 || p.Meta.RequestID == "" {
				t.Errorf("tail: %+v %+v", p.Pagination, p.Meta)
			}
		})
	}
	for _, limit := range []string{"0", "-1", "many"} {
		if resp, _ := a.events("limit", limit); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("limit %s: %s", limit, resp.Status)
		}
	}
}

func TestLastPage(t *testing.T) {
	tests := []struct {
		name string
		last mockserver.LastPage
		want string // in the body of the second page of two
		not  string
	}{
		{"null", mockserver.LastNull, `"hasMore":false,"nextCursor":null,"cursorExpiresIn":null}`, `119`},
		{"empty text", mockserver.LastEmptyText, `"hasMore":false,"nextCursor":""}`, `cursorExpiresIn`},
		{"missing", mockserver.LastMissing, `"hasMore":false}`, `nextCursor`},
		{"extra", mockserver.LastExtra, `"hasMore":true,"nextCursor":"`, `null`},
		{"has more", mockserver.LastHasMore, `"hasMore":true,"nextCursor":null,"cursorExpiresIn":null}`, `119`},
		{"with cursor", mockserver.LastWithCursor, `"hasMore":false,"nextCursor":"`, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAPI(t, mockserver.New(small(mockserver.Options{LastPage: tt.last})))
			p := a.mustPage(mockserver.EventsPath, "limit", "50")
			_, body := a.events("limit", "50", "cursor", *p.Pagination.NextCursor)
			if !strings.Contains(string(body), tt.want) || strings.Contains(string(body), tt.not) {
				t.Errorf("last page ends in %s", body[len(body)-300:])
			}
			if tt.last == mockserver.LastExtra {
				var full page
				if err := json.Unmarshal(body, &full); err != nil {
					t.Fatal(err)
				}
				empty := a.mustPage(mockserver.EventsPath, "limit", "50", "cursor", *full.Pagination.NextCursor)
				if len(empty.Data) != 0 || empty.Pagination.HasMore || empty.Pagination.NextCursor != nil {
					t.Errorf("extra page: %+v", empty)
				}
			}
		})
	}
}

func TestShape(t *testing.T) {
	tests := []struct {
		name       string
		opts       mockserver.Options
		want, miss string
	}{
		{"flat", mockserver.Options{Flat: true}, `],"hasMore":true,"nextCursor":"`, `pagination`},
		{"tail first", mockserver.Options{TailFirst: true}, `{"pagination":{"limit":10,`, `}],"pagination"`},
		{"total stated", mockserver.Options{StatedTotal: `12`}, `"meta":{"total":12,"returned":10`, `"total":100`},
		{"total omitted", mockserver.Options{StatedTotal: mockserver.Omitted}, `"meta":{"returned":10`, `total`},
		{"cursor life stated", mockserver.Options{Cursor: mockserver.Cursors{StatedLife: "-1"}}, `"cursorExpiresIn":-1`, `119`},
		{"cursor life omitted", mockserver.Options{Cursor: mockserver.Cursors{StatedLife: mockserver.Omitted}}, `"nextCursor":"`, `cursorExpiresIn`},
		{"cursor wrapped", mockserver.Options{Cursor: mockserver.Cursors{Wrap: "\"\n&\x00😀+ /"}}, `"nextCursor":"\"\n\u0026\u0000😀+ /ey`, `"nextCursor":"ey`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mockserver.New(small(tt.opts))
			a := newAPI(t, s)
			_, body := a.events("limit", "10")
			if !json.Valid(body) {
				t.Fatalf("no JSON: %s", body)
			}
			if !strings.Contains(string(body), tt.want) || strings.Contains(string(body), tt.miss) {
				t.Errorf("page:\n%s", body)
			}
			if !tt.opts.Flat {
				checkWalk(t, s, a.walk(mockserver.EventsPath, 30, ""))
			}
		})
	}
}

func TestEpochOnly(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Feed: mockserver.Pages{EpochOnly: true}}))
	a := newAPI(t, s)
	mixed := map[bool]int{}
	for _, e := range a.walk(mockserver.EventsPath, 100, "") {
		_, text := e.Timestamp.(string)
		mixed[text]++
	}
	if mixed[true] < 20 || mixed[false] < 20 {
		t.Errorf("events endpoint: %d texts, %d numbers, want a mixture", mixed[true], mixed[false])
	}
	for i, e := range a.walk(a.openFeed(), 100, "") {
		if ms, ok := e.Timestamp.(float64); !ok || int64(ms) != s.Dataset().Event(i).TimestampMS {
			t.Fatalf("feed: timestamp %v", e.Timestamp)
		}
	}
}

func TestBounds(t *testing.T) {
	d := mockserver.NewDataset(mockserver.DataOptions{Events: 100})
	// Events 24 to 26 share a millisecond.
	at := d.Event(25).TimestampMS
	if d.Event(24).TimestampMS != at || d.Event(26).TimestampMS != at || d.Event(23).TimestampMS == at || d.Event(27).TimestampMS == at {
		t.Fatal("the ties are not where this test wants them")
	}
	tests := []struct {
		name         string
		since, until mockserver.Bound
		query        string
		first, count int
	}{
		{"until exclusive", 0, mockserver.Exclusive, "until", 27, 73},
		{"until inclusive", 0, mockserver.Inclusive, "until", 24, 76},
		{"until ignored", 0, mockserver.Ignored, "until", 0, 100},
		{"since exclusive", mockserver.Exclusive, 0, "since", 0, 24},
		{"since inclusive", mockserver.Inclusive, 0, "since", 0, 27},
		{"since ignored", mockserver.Ignored, 0, "since", 0, 100},
	}
	for _, tt := range tests {
		for _, value := range []string{fmt.Sprint(at), d.Event(25).Time().Format("2006-01-02T15:04:05.000Z")} {
			t.Run(tt.name, func(t *testing.T) {
				a := newAPI(t, mockserver.New(small(mockserver.Options{Events: mockserver.Pages{Since: tt.since, Until: tt.until}})))
				p := a.mustPage(mockserver.EventsPath, "limit", "10", tt.query, value)
				got := decode(t, p)
				if p.Pagination.HasMore {
					got = append(got, a.walk(mockserver.EventsPath, 10, *p.Pagination.NextCursor)...)
				}
				if len(got) != tt.count || got[0].ID != d.Event(tt.first).ID.String() {
					t.Errorf("%d events from %s on, want %d from number %d on", len(got), got[0].ID, tt.count, tt.first)
				}
			})
		}
	}
	t.Run("forgotten by cursors", func(t *testing.T) {
		a := newAPI(t, mockserver.New(small(mockserver.Options{
			Events: mockserver.Pages{Since: mockserver.Exclusive}, Cursor: mockserver.Cursors{ForgetBounds: true}})))
		p := a.mustPage(mockserver.EventsPath, "limit", "10", "since", fmt.Sprint(at))
		if got := a.walk(mockserver.EventsPath, 10, *p.Pagination.NextCursor); len(got) != 90 {
			t.Errorf("%d events, want the whole rest of 90", len(got))
		}
	})
	t.Run("refused with a cursor", func(t *testing.T) {
		a := newAPI(t, mockserver.New(small(mockserver.Options{Events: mockserver.Pages{RefuseMixed: true}})))
		p := a.mustPage(mockserver.EventsPath, "limit", "10")
		if resp, _ := a.events("limit", "10", "cursor", *p.Pagination.NextCursor, "until", "5"); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("cursor and until: %s", resp.Status)
		}
	})
	t.Run("with a cursor, the lower one counts", func(t *testing.T) {
		a := newAPI(t, mockserver.New(small(mockserver.Options{Events: mockserver.Pages{Until: mockserver.Exclusive}})))
		p := a.mustPage(mockserver.EventsPath, "limit", "10")
		got := decode(t, a.mustPage(mockserver.EventsPath, "limit", "1", "cursor", *p.Pagination.NextCursor, "until", fmt.Sprint(at)))
		if got[0].ID != d.Event(27).ID.String() {
			t.Errorf("got %s, want event 27", got[0].ID)
		}
	})
}

func TestRepeats(t *testing.T) {
	tests := []struct {
		name string
		opts mockserver.Options
		want int // copies in the whole walk of 100 events by 10
	}{
		{"across pages", mockserver.Options{RepeatAcross: true}, 10},
		{"within pages", mockserver.Options{RepeatWithin: 4}, 20},
	}
	for _, tt := range tests {
		for _, changed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, changed %v", tt.name, changed), func(t *testing.T) {
				tt.opts.RepeatChanged = changed
				a := newAPI(t, mockserver.New(small(tt.opts)))
				first, copies := map[string]wireEvent{}, 0
				for _, e := range a.walk(mockserver.EventsPath, 10, "") {
					if was, ok := first[e.ID]; ok {
						copies++
						if (was.Name == e.Name) == changed {
							t.Errorf("copy of %s is %s", was.Name, e.Name)
						}
						continue
					}
					first[e.ID] = e
				}
				if len(first) != 100 || copies < tt.want/2 || copies > tt.want*3/2 {
					t.Errorf("%d events, %d copies, want 100 and about %d", len(first), copies, tt.want)
				}
			})
		}
	}
}

func TestChaos(t *testing.T) {
	for _, events := range []int{0, 3} {
		a := newAPI(t, mockserver.New(small(mockserver.Options{ChaosRate: 0.5, ChaosEvents: events})))
		feed, marked := a.openFeed(), 0
		for range 50 {
			resp, body := a.get(feed, "limit", "20")
			var p page
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatal(err)
			}
			damaged := 0
			for _, raw := range p.Data {
				if _, ok, _ := readEvent(t, raw); !ok {
					damaged++
				}
			}
			want := 0
			if resp.Header.Get("X-Chaos-Applied") == "missingFields" {
				marked++
				want = events
			}
			if damaged != want {
				t.Fatalf("%d events damaged, want %d", damaged, want)
			}
		}
		if marked < 10 || marked > 40 {
			t.Errorf("%d of 50 pages marked, want about half", marked)
		}
		if resp, _ := a.events("limit", "20"); resp.Header.Get("X-Chaos-Applied") != "" {
			t.Error("chaos on the events endpoint")
		}
	}
}

func TestErrorCodeOmitted(t *testing.T) {
	a := newAPI(t, mockserver.New(small(mockserver.Options{OmitErrorCode: true})))
	if _, body := a.events("limit", "1", "cursor", "x"); strings.Contains(string(body), `"code"`) || !strings.Contains(string(body), `"error":"Bad Request"`) {
		t.Errorf("error body %s", body)
	}
}
