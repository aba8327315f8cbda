package api

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

// TestLeastIsReachable requests pages in parallel, from any endpoint that is not rate-limited. No
// run is faster than Least, and with the right number of requests in flight it is nearly reached.
// The test runs in virtual time.
func TestLeastIsReachable(t *testing.T) {
	const events = 600_000
	for name, inFlight := range map[string][]int{
		"observed": {5, 20, 50}, "few-at-once": {2, 4, 8}, "small-budgets": {4, 12}, "small-feed": {12, 25},
		"halved": {20, 50}, "doubled": {20, 50},
	} {
		scenarios, err := Choose(name)
		if err != nil {
			t.Fatal(err)
		}
		o := scenarios[0].Options(events, 10)
		o.Access.TokenLife = 24 * time.Hour
		o.Data.Events = 2 * 5000 // each page is full, wherever the walk would be
		least, best := Least(o, events), time.Duration(0)
		for _, n := range inFlight {
			took := ask(t, o, Pages(o, events), n)
			if took < least {
				t.Errorf("%s, %d in flight: %v, less than %v", name, n, took, least)
			}
			if best == 0 || took < best {
				best = took
			}
		}
		t.Logf("%s: %.3f", name, float64(best)/float64(least))
		if ratio := float64(best) / float64(least); ratio > 1.1 {
			t.Errorf("%s: %v is %.2f of %v", name, best, ratio, least)
		}
	}
}

// ask asks for the pages, some at a time, and returns how long that took.
func ask(t *testing.T, o mockserver.Options, pages, inFlight int) (took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		c := &asker{t: t, client: mockserver.New(o).Client(), left: pages, opens: map[string]time.Time{}}
		c.access()
		began := time.Now()
		var wg sync.WaitGroup
		for range inFlight {
			wg.Go(c.work)
		}
		wg.Wait()
		took = time.Since(began)
	})
	return took
}

type asker struct {
	t      *testing.T
	client *http.Client
	token  string

	mu    sync.Mutex
	left  int
	asked int
	opens map[string]time.Time // an endpoint, after a 429
}

// work asks for pages until none is left.
func (c *asker) work() {
	for {
		path, wait, number := c.next()
		switch {
		case path == "":
			return
		case wait > 0:
			<-time.After(wait)
			c.giveBack()
			continue
		}
		// The bound makes it another request than those that the cache knows.
		limited, wait, err := c.get(fmt.Sprintf("%s?limit=5000&until=%d", path, 1<<50+number))
		if err != nil {
			c.t.Error(err)
			return
		}
		if limited {
			c.giveBack()
			c.mu.Lock()
			c.opens[path] = time.Now().Add(wait)
			c.mu.Unlock()
		}
	}
}

// next takes a page and says where to ask for it, or how long to wait first.
func (c *asker) next() (path string, wait time.Duration, number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return "", 0, 0
	}
	c.left--
	c.asked++
	for _, p := range []string{mockserver.DefaultFeedPath, mockserver.EventsPath} {
		if w := time.Until(c.opens[p]); path == "" || w < wait {
			path, wait = p, w
		}
	}
	return path, wait, c.asked
}

func (c *asker) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left++
}

func (c *asker) access() {
	var a struct {
		StreamAccess struct {
			Token string `json:"token"`
		} `json:"streamAccess"`
	}
	_, body, err := c.do(http.MethodPost, mockserver.StreamAccessPath)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(body, &a); err != nil {
		c.t.Fatal(err)
	}
	c.token = a.StreamAccess.Token
}

func (c *asker) get(path string) (limited bool, wait time.Duration, err error) {
	status, body, err := c.do(http.MethodGet, path)
	if err != nil || status == http.StatusOK {
		return false, 0, err
	}
	if status != http.StatusTooManyRequests {
		return false, 0, fmt.Errorf("%d %s", status, body)
	}
	var a struct {
		RateLimit struct{ RetryAfter, Reset float64 }
	}
	err = json.Unmarshal(body, &a)
	return true, time.Duration(max(a.RateLimit.RetryAfter, a.RateLimit.Reset) * float64(time.Second)), err
}

func (c *asker) do(method, path string) (status int, body []byte, err error) {
	r, err := http.NewRequest(method, mockserver.BaseURL+path, nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("X-API-Key", "ds_test_bench")
	r.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: "ds_test_bench"})
	r.Header.Set("User-Agent", "Mozilla/5.0")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(mockserver.DefaultTokenHeader, c.token)
	resp, err := c.client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
