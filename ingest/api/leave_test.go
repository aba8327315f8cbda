package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// silent is a body of which nothing comes until it is let go, whatever is done to it.
type silent struct{ until chan struct{} }

func (s silent) Read([]byte) (int, error) { <-s.until; return 0, io.EOF }
func (s silent) Close() error             { <-s.until; return nil }

// TestATransportThatHangsIsLeft: a request ends soon after its context though the transport does not
// return from it, or from reading its body, and the next one goes by another transport.
func TestATransportThatHangsIsLeft(t *testing.T) {
	for name, hang := range map[string]func(until chan struct{}) (*http.Response, error){
		"before the head": func(until chan struct{}) (*http.Response, error) {
			<-until
			return nil, io.EOF
		},
		"in the body": func(until chan struct{}) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 2, Body: silent{until}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				until, made := make(chan struct{}), 0
				defer close(until)
				l := newLeaver(func() http.RoundTripper {
					if made++; made == 1 {
						return roundTrip(func(*http.Request) (*http.Response, error) { return hang(until) })
					}
					return roundTrip(func(*http.Request) (*http.Response, error) {
						return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 2, Body: io.NopCloser(strings.NewReader("{}"))}, nil
					})
				})
				ask := func(ctx context.Context) (body string, err error) {
					r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.test/", nil)
					if err != nil {
						t.Fatal(err)
					}
					resp, err := l.RoundTrip(r)
					if err != nil {
						return "", err
					}
					b, err := io.ReadAll(resp.Body)
					return string(b), errors.Join(err, resp.Body.Close())
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				if _, err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute+leaveAfter {
					t.Errorf("after %s: %v", time.Since(began), err)
				}
				if body, err := ask(t.Context()); body != "{}" || err != nil || made != 2 {
					t.Errorf("%q, %v by transport %d", body, err, made)
				}
			})
		})
	}
}
