package mockserver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

// publicClient is a simple client, as people write them. It sends only the headers that its author
// found to be enough.
type publicClient struct {
	tb      testing.TB
	client  *http.Client
	headers map[string]string
}

func (c *publicClient) ask(method, pathAndQuery string) (*http.Response, []byte) {
	c.tb.Helper()
	r, err := http.NewRequest(method, mockserver.BaseURL+pathAndQuery, nil)
	if err != nil {
		c.tb.Fatal(err)
	}
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		c.tb.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatal(err)
	}
	return resp, body
}

// want requests JSON.
func (c *publicClient) want(into any, method, pathAndQuery string) {
	c.tb.Helper()
	resp, body := c.ask(method, pathAndQuery)
	if resp.StatusCode != http.StatusOK {
		c.tb.Fatalf("%s %s: %s %s", method, pathAndQuery, resp.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		c.tb.Fatalf("%s %s: %v in %.300s", method, pathAndQuery, err, body)
	}
}

// page requests a page of events and wants some.
func (c *publicClient) page(pathAndQuery string) page {
	c.tb.Helper()
	var p page
	if c.want(&p, http.MethodGet, pathAndQuery); len(p.Data) == 0 || p.Meta.Total == nil || *p.Meta.Total != 300 {
		c.tb.Fatalf("%s: %d events, meta %+v", pathAndQuery, len(p.Data), p.Meta)
	}
	return p
}

// publicClients are simple clients of the API.
var publicClients = []struct {
	name    string
	headers map[string]string
	run     func(c *publicClient)
}{
	{"header only", nil, func(c *publicClient) {
		p := c.page(mockserver.EventsPath + "?limit=200")
		var rest page
		c.want(&rest, http.MethodGet, mockserver.EventsPath+"?limit=200&cursor="+*p.Pagination.NextCursor)
		if len(rest.Data) != 100 || rest.Pagination.HasMore || rest.Pagination.NextCursor != nil {
			c.tb.Errorf("%d events, %+v", len(rest.Data), rest.Pagination)
		}
	}},
	{"header and cookie", map[string]string{"Cookie": "theme=dark; dashboard_api_key=ds_public_key"}, func(c *publicClient) {
		c.page(mockserver.EventsPath + "?limit=100")
	}},
	{"curl", map[string]string{"User-Agent": "curl/8.5.0", "Accept": "*/*"}, func(c *publicClient) {
		c.page(mockserver.EventsPath + "?limit=101")
	}},
	{"browser-like, without Content-Type", map[string]string{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}, func(c *publicClient) {
		var got struct {
			StreamAccess struct {
				Endpoint, Token, TokenHeader string
				ExpiresIn                    float64
			}
			Meta struct{ GeneratedAt, Note string }
		}
		c.want(&got, http.MethodPost, mockserver.StreamAccessPath)
		access := got.StreamAccess
		if len(access.Token) != 64 || access.ExpiresIn <= 0 || got.Meta.Note == "" {
			c.tb.Errorf("%+v", got)
		}
		if _, err := time.Parse(time.RFC3339, got.Meta.GeneratedAt); err != nil {
			c.tb.Error(err)
		}
		if resp, body := c.ask(http.MethodGet, access.Endpoint+"?limit=10"); resp.StatusCode != 403 || !strings.Contains(string(body), "INVALID_STREAM_TOKEN") {
			c.tb.Errorf("without the token: %s %s", resp.Status, body)
		}
		c.headers[access.TokenHeader] = access.Token
		c.page(access.Endpoint + "?limit=10")
	}},
	{"no limit", nil, func(c *publicClient) {
		if p := c.page(mockserver.EventsPath); p.Pagination.Limit != len(p.Data) {
			c.tb.Errorf("%d events, limit %d", len(p.Data), p.Pagination.Limit)
		}
	}},
	{"since", nil, func(c *publicClient) {
		for _, since := range []string{"1700000000000", "2026-01-01T00:00:00Z"} {
			c.page(mockserver.EventsPath + "?limit=10&since=" + since)
		}
	}},
	{"HEAD", nil, func(c *publicClient) {
		resp, body := c.ask(http.MethodHead, mockserver.EventsPath+"?limit=11")
		if resp.StatusCode != 200 || len(body) != 0 || resp.ContentLength < 11*300 {
			c.tb.Errorf("%s, %d bytes of %d", resp.Status, len(body), resp.ContentLength)
		}
	}},
	{"sessions", nil, func(c *publicClient) {
		var p page
		c.want(&p, http.MethodGet, mockserver.SessionsPath+"?limit=5000")
		sum, id := 0, ""
		for _, raw := range p.Data {
			var session wireSession
			if err := json.Unmarshal(raw, &session); err != nil {
				c.tb.Fatal(err)
			}
			sum, id = sum+session.EventCount, session.ID
		}
		if sum != 300 || *p.Meta.Total != len(p.Data) {
			c.tb.Errorf("%d events in %d sessions of %d", sum, len(p.Data), *p.Meta.Total)
		}
		var one struct{ Data wireSession }
		c.want(&one, http.MethodGet, mockserver.SessionsPath+"/"+id)
		var events page
		c.want(&events, http.MethodGet, mockserver.EventsPath+"?limit=100&sessionId="+id)
		if len(events.Data) != one.Data.EventCount || len(events.Data) == 0 {
			c.tb.Errorf("%d events, want %d", len(events.Data), one.Data.EventCount)
		}
	}},
}

// TestPublicClients: simple clients of the live service work with the mock server's defaults, in
// any profile, at any time scale, with a key of any age.
func TestPublicClients(t *testing.T) {
	for _, profile := range mockserver.Profiles() {
		for _, scale := range []float64{1, 10} {
			for _, client := range publicClients {
				t.Run(fmt.Sprintf("%s, time scale %v, %s", profile, scale, client.name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						opts, err := mockserver.ParseProfile(profile)
						if err != nil {
							t.Fatal(err)
						}
						opts.Data.Events, opts.TimeScale = 300, scale
						s := mockserver.New(opts)
						threeHours := time.Duration(float64(3*time.Hour) / scale)
						for _, wait := range []time.Duration{0, threeHours - time.Second, 2 * time.Second, 3 * time.Hour} {
							advance(wait)
							headers := map[string]string{"X-API-Key": "ds_public_key", "User-Agent": "python-requests/2.32"}
							maps.Copy(headers, client.headers)
							client.run(&publicClient{tb: t, client: s.Client(), headers: headers})
						}
					})
				})
			}
		}
	}
}
