package mockserver_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

func TestForgedCursors(t *testing.T) {
	forge := func(cursor string, change func(map[string]any)) string {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		raw, _ = json.Marshal(m)
		return base64.StdEncoding.EncodeToString(raw)
	}
	for _, signed := range []bool{false, true} {
		t.Run(fmt.Sprintf("signed %v", signed), func(t *testing.T) {
			s := mockserver.New(small(mockserver.Options{Cursor: mockserver.Cursors{Signed: signed}}))
			a := newAPI(t, s)
			cursor := *a.mustPage(mockserver.EventsPath, "limit", "10").Pagination.NextCursor
			checkWalk(t, s, a.walk(mockserver.EventsPath, 13, ""))
			later := forge(cursor, func(m map[string]any) { m["exp"] = m["exp"].(float64) + 1e9 })
			moved := forge(cursor, func(m map[string]any) { m["ts"] = s.Dataset().Event(50).TimestampMS - 1 })
			for name, forged := range map[string]string{"exp": later, "ts": moved} {
				resp, body := a.events("limit", "5", "cursor", forged)
				if signed != (resp.StatusCode == http.StatusBadRequest) {
					t.Errorf("forged %s: %s %s", name, resp.Status, body)
				}
			}
			if !signed {
				p := decode(t, a.mustPage(mockserver.EventsPath, "limit", "5", "cursor", moved))
				if want := s.Dataset().Event(50); p[0].ID == want.ID.String() || position(t, s.Dataset(), p[0].ID) < 51 {
					t.Errorf("moved cursor leads to %s", p[0].ID)
				}
			}
		})
	}
}

func TestBadCursors(t *testing.T) {
	enc := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	const id = `"id":"11111111-1111-4111-8111-111111111111"`
	for name, cursor := range map[string]string{
		"no base64":  "%%%",
		"no JSON":    enc("hello"),
		"version":    enc(`{` + id + `,"ts":1,"v":1,"exp":9999999999999}`),
		"no id":      enc(`{"ts":1,"v":2,"exp":9999999999999}`),
		"id no UUID": enc(`{"id":"1","ts":1,"v":2,"exp":9999999999999}`),
		"ts text":    enc(`{` + id + `,"ts":"1","v":2,"exp":9999999999999}`),
		"no exp":     enc(`{` + id + `,"ts":1,"v":2}`),
	} {
		for _, tt := range []struct {
			opts   mockserver.Cursors
			status int
			code   string
		}{
			{mockserver.Cursors{}, 400, "CURSOR_INVALID_FORMAT"},
			{mockserver.Cursors{ErrorStatus: 410, ShortWords: true}, 410, "CURSOR_INVALID"},
			{mockserver.Cursors{ErrorStatus: 422, SwapWords: true}, 422, "INVALID_CURSOR"},
			{mockserver.Cursors{ErrorStatus: 404, Unnamed: true}, 404, ""},
			{mockserver.Cursors{ErrorStatus: 502}, 502, ""},
		} {
			a := newAPI(t, mockserver.New(small(mockserver.Options{Cursor: tt.opts})))
			resp, body := a.events("limit", "5", "cursor", cursor)
			checkBadCursor(t, name, resp, body, tt.status, tt.code)
		}
	}
}

// checkBadCursor checks for an error with this code, or, if it is empty, for one that does not name
// the cursor.
func checkBadCursor(t *testing.T, name string, resp *http.Response, body []byte, status int, code string) {
	t.Helper()
	var got struct{ Error, Code, Message string }
	if err := json.Unmarshal(body, &got); err != nil || resp.StatusCode != status || got.Code != code || got.Error == "" || got.Message == "" {
		t.Errorf("%s: %s %s", name, resp.Status, body)
	}
	if named := strings.Contains(strings.ToLower(string(body)), "cursor"); named != (code != "") {
		t.Errorf("%s names the cursor: %v, in %s", name, named, body)
	}
}

func TestExpiredCursorsByStatus(t *testing.T) {
	for _, tt := range []struct {
		opts   mockserver.Cursors
		status int
		code   string
	}{
		{mockserver.Cursors{}, 400, "CURSOR_EXPIRED"},
		{mockserver.Cursors{ErrorStatus: 404, ShortWords: true}, 404, "CURSOR_EXPIRED"},
		{mockserver.Cursors{ErrorStatus: 422, SwapWords: true}, 422, "EXPIRED_CURSOR"},
		{mockserver.Cursors{Unnamed: true}, 400, ""},
		{mockserver.Cursors{ErrorStatus: 502}, 502, ""},
		{mockserver.Cursors{ErrorStatus: 500, SwapWords: true}, 500, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newAPI(t, mockserver.New(small(mockserver.Options{Cursor: tt.opts})))
			feed := a.openFeed()
			cursor := *a.mustPage(mockserver.EventsPath, "limit", "5").Pagination.NextCursor
			advance(119 * time.Second)
			for _, path := range []string{mockserver.EventsPath, feed} {
				resp, body := a.get(path, "limit", "5", "cursor", cursor)
				checkBadCursor(t, path, resp, body, tt.status, tt.code)
				a.mustPage(path, "limit", "5")
			}
		})
	}
}

// TestOutside: bounds outside the data's time get a status of their own, only on the endpoint with
// the option.
func TestOutside(t *testing.T) {
	for e, path := range map[mockserver.Endpoint]string{mockserver.Events: mockserver.EventsPath, mockserver.Feed: mockserver.DefaultFeedPath} {
		opts := small(mockserver.Options{})
		pages, other := &opts.Events, mockserver.DefaultFeedPath
		if e == mockserver.Feed {
			pages, other = &opts.Feed, mockserver.EventsPath
		}
		pages.OutsideStatus, pages.Until = 418, mockserver.Inclusive
		s := mockserver.New(opts)
		a := newAPI(t, s)
		a.openFeed()
		newest, oldest := s.Dataset().Event(0).TimestampMS, s.Dataset().Event(99).TimestampMS
		cursor := func(ts int64) string {
			return base64.StdEncoding.EncodeToString(fmt.Appendf(nil,
				`{"id":"11111111-1111-4111-8111-111111111111","ts":%d,"v":2,"exp":9999999999999}`, ts))
		}
		for ts, want := range map[int64]int{oldest - 1: 418, oldest: 200, newest: 200, newest + 1: 418} {
			for name, value := range map[string]string{"since": fmt.Sprint(ts), "until": fmt.Sprint(ts), "cursor": cursor(ts)} {
				if resp, body := a.get(path, "limit", "5", name, value); resp.StatusCode != want {
					t.Errorf("%v: %s %d: %s %s", e, name, ts, resp.Status, body)
				}
				if resp, body := a.get(other, "limit", "5", name, value); resp.StatusCode != 200 {
					t.Errorf("beside %v: %s %d: %s %s", e, name, ts, resp.Status, body)
				}
			}
		}
		checkWalk(t, s, a.walk(path, 30, ""))
	}
}

func TestCursorLoops(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cursors mockserver.Cursors
		want    string // which cursor each page gives, by first appearance
	}{
		{"same for ever", mockserver.Cursors{Loop: 1}, "AAAAAA"},
		{"cycle of two", mockserver.Cursors{Loop: 2}, "ABABAB"},
		{"cycle of three", mockserver.Cursors{Loop: 3}, "ABCABC"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAPI(t, mockserver.New(small(mockserver.Options{Cursor: tt.cursors})))
			got, names := "", map[string]byte{}
			for cursor := ""; len(got) < len(tt.want); {
				p := a.mustPage(mockserver.EventsPath, "limit", "10", "cursor", cursor)
				cursor = *p.Pagination.NextCursor
				if names[cursor] == 0 {
					names[cursor] = byte('A' + len(names))
				}
				got += string(names[cursor])
			}
			if got != tt.want {
				t.Errorf("cursors %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCursorDialects(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	p := a.mustPage(mockserver.EventsPath, "limit", "10")
	raw, err := base64.StdEncoding.DecodeString(*p.Pagination.NextCursor)
	if err != nil {
		t.Fatal(err)
	}
	for name, cursor := range map[string]string{
		"standard": base64.StdEncoding.EncodeToString(raw),
		"unpadded": base64.RawStdEncoding.EncodeToString(raw),
		"URL":      base64.URLEncoding.EncodeToString(raw),
		"URL with another alphabet's letters": base64.URLEncoding.EncodeToString([]byte(
			strings.Replace(string(raw), "{", `{"note":"~~~???>>>",`, 1))),
	} {
		if got := decode(t, a.mustPage(mockserver.EventsPath, "limit", "1", "cursor", cursor)); got[0].ID != s.Dataset().Event(10).ID.String() {
			t.Errorf("%s: leads to %s", name, got[0].ID)
		}
	}
}

// FuzzParameters: the answer to any parameters is a page or an error.
func FuzzParameters(f *testing.F) {
	f.Add("10", "eyJpZCI6IjEiLCJ0cyI6MSwidiI6MiwiZXhwIjoxfQ==", "", "1769541612369")
	f.Add("-1", "", "2026-01-27T19:19:13.629Z", "9223372036854775807")
	f.Add("99999999999", "x", "-9223372036854775808", "")
	s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{Since: mockserver.Inclusive, Until: mockserver.Inclusive}}))
	f.Fuzz(func(t *testing.T, limit, cursor, since, until string) {
		resp, body := newAPI(t, s).events("limit", limit, "cursor", cursor, "since", since, "until", until)
		if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusBadRequest || !json.Valid(body) {
			t.Errorf("%s: %s", resp.Status, body)
		}
	})
}

func TestExpireCursors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{}))
		a := newAPI(t, s)
		before := *a.mustPage(mockserver.EventsPath, "limit", "10").Pagination.NextCursor
		s.ExpireCursors()
		<-time.After(time.Millisecond)
		after := *a.mustPage(mockserver.EventsPath, "limit", "10").Pagination.NextCursor
		if resp, body := a.events("limit", "10", "cursor", before); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "CURSOR_EXPIRED") {
			t.Errorf("handed out before: %s %s", resp.Status, body)
		}
		if resp, body := a.events("limit", "10", "cursor", after); resp.StatusCode != http.StatusOK {
			t.Errorf("handed out later: %s %s", resp.Status, body)
		}
	})
}
