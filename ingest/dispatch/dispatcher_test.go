package dispatch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
)

const (
	page   = `{"data":[],"hasMore":false}`
	access = `{"streamAccess":{"endpoint":"/feed","token":"ds_test_token","expiresIn":300,"tokenHeader":"X-Stream-Token"}}`
)

// script answers requests by a function, and notes the paths.
type script struct {
	answer func(path string) (status int, header map[string]string, body string)
	paths  []string
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.paths = append(s.paths, r.URL.Path)
	status, header, body := s.answer(r.URL.Path)
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: int64(len(body))}
	for name, value := range header {
		resp.Header.Set(name, value)
	}
	return resp, nil
}

// observer notes what a dispatcher waits for.
type observer struct{ waits []string }

func (*observer) Asking(string) {}

func (o *observer) Waiting(endpoint, why string, _ time.Time) {
	o.waits = append(o.waits, endpoint+" "+why)
}

// fixture is a dispatcher and what it was told to keep and to say.
type fixture struct {
	*dispatch.Dispatcher
	*script
	observer
	persisted []string
	notices   []string
}

func newFixture(t *testing.T, notBefore map[string]time.Time, answer func(path string) (int, map[string]string, string)) *fixture {
	t.Helper()
	f := &fixture{script: &script{answer: answer}}
	client := api.New(f.script, &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 10)
	f.Dispatcher = dispatch.New(client, dispatch.Options{
		MaxWait: 5 * time.Minute, MaxRetryTime: time.Minute, NotBefore: notBefore,
		Persist: func(endpoint string, wait time.Duration) error {
			f.persisted = append(f.persisted, fmt.Sprint(endpoint, " ", wait.Round(time.Second)))
			return nil
		},
		Notice: func(text string) { f.notices = append(f.notices, text) },
	}, &f.observer)
	return f
}

func (f *fixture) page(t *testing.T, req api.Request) (from string, err error) {
	t.Helper()
	_, from, err = f.Page(t.Context(), &dispatch.Requester{}, req, &api.Buffer{})
	return from, err
}

// ok answers every request.
func ok(path string) (int, map[string]string, string) {
	if strings.HasSuffix(path, "stream-access") {
		return http.StatusOK, nil, access
	}
	return http.StatusOK, nil, page
}

// limited answers like ok, but the events endpoint with 429 and a wait.
func limited(retryAfter string) func(string) (int, map[string]string, string) {
	return func(path string) (int, map[string]string, string) {
		if strings.HasSuffix(path, "/events") {
			return http.StatusTooManyRequests, map[string]string{"Retry-After": retryAfter}, "{}"
		}
		return ok(path)
	}
}

func TestEventsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, ok)
		for range 2 {
			if from, err := f.page(t, api.Request{}); err != nil || from != api.Events {
				t.Errorf("%s, %v", from, err)
			}
		}
		if len(f.paths) != 2 {
			t.Errorf("requests: %q", f.paths)
		}
	})
}

// The feed serves while the events endpoint is rate-limited, and the wait is stored before anything else
// happens.
func TestTheFeedServesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, limited("60"))
		began := time.Now()
		if from, err := f.page(t, api.Request{}); err != nil || from != api.Feed || time.Since(began) > time.Second {
			t.Errorf("%s after %v, %v", from, time.Since(began), err)
		}
		if len(f.persisted) != 1 || !strings.HasPrefix(f.persisted[0], "events 1m") {
			t.Errorf("persisted: %q", f.persisted)
		}
		if counts := f.Counts(); counts.Limited[api.Events] != 1 || counts.Requests[api.StreamAccess] != 1 || counts.Requests[api.Feed] != 1 {
			t.Errorf("%+v", counts)
		}
	})
}

// With both endpoints closed, a request waits for the first to open.
func TestBothAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := newFixture(t, map[string]time.Time{api.Events: began.Add(2 * time.Minute), api.Feed: began.Add(time.Minute)}, ok)
		if from, err := f.page(t, api.Request{}); err != nil || from != api.Feed || time.Since(began) < time.Minute || time.Since(began) > time.Minute+time.Second {
			t.Errorf("%s after %v, %v", from, time.Since(began), err)
		}
		if !slices.Contains(f.waits, "feed asked in an earlier run") {
			t.Errorf("waits: %q", f.waits)
		}
	})
}

func TestTooLongAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		f := newFixture(t, map[string]time.Time{api.Events: began.Add(time.Hour), api.Feed: began.Add(2 * time.Hour)}, ok)
		_, err := f.page(t, api.Request{})
		if !errors.Is(err, dispatch.ErrWaitTooLong) || !strings.Contains(err.Error(), began.Add(time.Hour).UTC().Format(time.RFC3339)) || len(f.paths) != 0 {
			t.Errorf("%v, requests: %q", err, f.paths)
		}
		if _, err := f.page(t, api.Request{Bounded: true}); !errors.Is(err, dispatch.ErrNoPageByTime) {
			t.Errorf("by time: %v", err)
		}
		if _, err := f.TryPage(t.Context(), api.Events, api.Request{}, &api.Buffer{}); !errors.Is(err, dispatch.ErrHeldOff) || len(f.paths) != 0 {
			t.Errorf("once: %v, requests: %q", err, f.paths)
		}
	})
}

// Waits without a length double, so that an endpoint gets few requests.
func TestUnnamedWaitsDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, func(string) (int, map[string]string, string) { return http.StatusTooManyRequests, nil, "{}" })
		began := time.Now()
		_, err := f.page(t, api.Request{})
		if !errors.Is(err, dispatch.ErrLimited) || time.Since(began) < time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if n := f.Requests(); n > 30 {
			t.Errorf("%d requests in %v", n, time.Since(began))
		}
	})
}

// A feed that refuses every client is no reason to wait: the events endpoint serves.
func TestTheFeedAdmitsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil, func(path string) (int, map[string]string, string) {
			if strings.HasSuffix(path, "stream-access") {
				return http.StatusForbidden, nil, `{"code":"DASHBOARD_REQUIRED"}`
			}
			return ok(path)
		})
		if _, err := f.page(t, api.Request{Bounded: true}); !errors.Is(err, dispatch.ErrNoPageByTime) || !f.FeedAbandoned() {
			t.Errorf("%v, abandoned: %v", err, f.FeedAbandoned())
		}
		if from, err := f.page(t, api.Request{}); err != nil || from != api.Events {
			t.Errorf("%s, %v", from, err)
		}
		if len(f.notices) != 1 || !strings.Contains(f.notices[0], "without the feed") {
			t.Errorf("notices: %q", f.notices)
		}
	})
}

// Retry ends with the limit, of which waits that the API asked for are no part.
func TestRetryEndsAtItsLimit(t *testing.T) {
	failure := errors.New("a failure that may pass")
	for _, waited := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			began, limit := time.Now(), time.Minute
			f := newFixture(t, nil, ok)
			tries, seen := 0, []dispatch.Retrying{}
			err := f.Retry(t.Context(), dispatch.Patience{
				Limit: func() time.Duration { return limit }, Waited: func() time.Duration { return min(time.Since(began), waited) },
			}, func() (string, error) {
				seen = append(seen, f.Trouble().Retries...)
				tries++
				return api.Events, failure
			})
			if took := time.Since(began); !errors.Is(err, failure) || took < limit+waited || took > limit+waited+time.Minute {
				t.Errorf("%v after %v", err, took)
			}
			for i, r := range seen {
				if r.Failures != i+1 || r.Endpoint != api.Events || !errors.Is(r.Err, failure) || r.Next.After(time.Now()) || r.GivesUp.Sub(r.Next) < 0 {
					t.Errorf("%+v, the %d. failure", r, i+1)
				}
			}
			if len(seen) != tries-1 || len(f.Trouble().Retries) > 0 {
				t.Errorf("%d failures seen in %d tries; at the end %+v", len(seen), tries, f.Trouble().Retries)
			}
		})
	}
	for _, permanent := range []error{dispatch.ErrWaitTooLong, dispatch.ErrNoPageByTime, api.ErrKeyRefused} {
		tries := 0
		f := newFixture(t, nil, ok)
		err := f.Retry(t.Context(), dispatch.Patience{Limit: func() time.Duration { return time.Minute }}, func() (string, error) {
			tries++
			return api.Events, permanent
		})
		if !errors.Is(err, permanent) || tries != 1 {
			t.Errorf("%v after %d tries", err, tries)
		}
	}
}
