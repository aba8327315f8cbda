package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"datasync/ingest/decode"

	"golang.org/x/net/http/httpguts"
)

// Access is what stream-access handed out.
type Access struct {
	path, token, header string
	// RenewAt is when a new one is fetched ahead of this one's end; zero where
	// the token is used until the feed refuses it.
	RenewAt time.Time
	// Life is how long it is said to live; 0 where that is not said.
	Life time.Duration
}

// ErrFeedUnusable: what stream-access says can never be used.
var ErrFeedUnusable = errors.New("the feed cannot be used")

// Access requests access to the feed. It returns errFeedUnusable if the answer names a path, a token
// or a header that cannot be sent safely.
func (c *Client) Access(ctx context.Context) (*Access, error) {
	asked := time.Now()
	req, err := c.request(ctx, http.MethodPost, accessPath, nil, strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	body, _, err := c.do(StreamAccess, req, Request{}, maxAccess, &Buffer{})
	if err != nil {
		return nil, err
	}
	token, err := parseAccess(body, asked)
	if err != nil {
		return nil, err
	}
	c.secrets.add(token.token)
	return token, nil
}

// parseAccess reads an answer of stream-access and refuses what cannot be sent
// safely, with errFeedUnusable.
func parseAccess(body string, asked time.Time) (*Access, error) {
	var answer struct {
		StreamAccess *struct {
			Endpoint    string  `json:"endpoint"`
			Token       string  `json:"token"`
			TokenHeader string  `json:"tokenHeader"`
			ExpiresIn   float64 `json:"expiresIn"`
		} `json:"streamAccess"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.StreamAccess == nil {
		return nil, fmt.Errorf("%w: stream-access sent no access", decode.ErrMalformed)
	}
	a := answer.StreamAccess
	if err := checkFeedPath(a.Endpoint); err != nil {
		return nil, fmt.Errorf("%w: its path is refused: %w", ErrFeedUnusable, err)
	}
	if !httpguts.ValidHeaderFieldName(a.TokenHeader) || !strings.HasPrefix(strings.ToLower(a.TokenHeader), "x-") || strings.EqualFold(a.TokenHeader, "X-API-Key") {
		return nil, fmt.Errorf("%w: its token header is refused", ErrFeedUnusable)
	}
	if a.Token == "" || len(a.Token) > 8<<10 || !httpguts.ValidHeaderFieldValue(a.Token) {
		return nil, fmt.Errorf("%w: its token is refused", ErrFeedUnusable)
	}
	got := &Access{path: a.Endpoint, token: a.Token, header: a.TokenHeader}
	if life := a.ExpiresIn; life > 0 {
		life = math.Min(life, 24*3600)
		margin := math.Min(life/10, 30)
		got.Life = time.Duration(life * float64(time.Second))
		got.RenewAt = asked.Add(time.Duration((life - margin) * float64(time.Second)))
	}
	return got, nil
}
