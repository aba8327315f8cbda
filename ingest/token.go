package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"datasync/ingest/decode"
)

// access is what stream-access handed out.
type access struct {
	path, token, header string
	// renewAt is when a new one is fetched ahead of this one's end; zero where
	// the token is used until the feed refuses it.
	renewAt time.Time
	// life is how long it is said to live; 0 where that is not said.
	life time.Duration
}

// errFeedUnusable: what stream-access says can never be used.
var errFeedUnusable = errors.New("the feed cannot be used")

// renewalGap is the least time between two requests for access.
const renewalGap = 5 * time.Second

// tokens keeps the feed's token, for whoever stands first in its line; invalidate is for
// anybody.
type tokens struct {
	client *client
	line   line

	mu      sync.Mutex
	current *access
	asked   time.Time // for the last access
}

func newTokens(c *client) *tokens { return &tokens{client: c, line: newLine()} }

// fresh returns the current token where it can be used: it is not near its end, or
// too young to be replaced.
func (t *tokens) fresh() *access {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.current == nil || !t.current.renewAt.IsZero() && !now.Before(t.current.renewAt) && !now.Before(t.asked.Add(renewalGap)) {
		return nil
	}
	return t.current
}

// pause returns how long there can be no token, as the last one that was refused
// is too young.
func (t *tokens) pause() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil || t.asked.IsZero() {
		return 0
	}
	return time.Until(t.asked.Add(renewalGap))
}

// renew asks for a new access.
func (t *tokens) renew(ctx context.Context) (*access, error) {
	asked := time.Now()
	t.set(nil, asked)
	body, err := t.client.access(ctx)
	if err != nil {
		return nil, err
	}
	token, err := parseAccess(body, asked)
	if err == nil {
		t.client.secrets.add(token.token)
	}
	t.set(token, asked)
	return token, err
}

func (t *tokens) set(token *access, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.asked = token, asked
}

// invalidate forgets the token that the feed refused, and reports whether that was the
// current one.
func (t *tokens) invalidate(token *access) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != token {
		return false
	}
	t.current = nil
	return true
}

// parseAccess reads an answer of stream-access and refuses what cannot be sent
// safely, with errFeedUnusable.
func parseAccess(body string, asked time.Time) (*access, error) {
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
		return nil, fmt.Errorf("%w: its path is refused: %w", errFeedUnusable, err)
	}
	if !httpguts.ValidHeaderFieldName(a.TokenHeader) || !strings.HasPrefix(strings.ToLower(a.TokenHeader), "x-") || strings.EqualFold(a.TokenHeader, "X-API-Key") {
		return nil, fmt.Errorf("%w: its token header is refused", errFeedUnusable)
	}
	if a.Token == "" || len(a.Token) > 8<<10 || !httpguts.ValidHeaderFieldValue(a.Token) {
		return nil, fmt.Errorf("%w: its token is refused", errFeedUnusable)
	}
	got := &access{path: a.Endpoint, token: a.Token, header: a.TokenHeader}
	if life := a.ExpiresIn; life > 0 {
		life = math.Min(life, 24*3600)
		margin := math.Min(life/10, 30)
		got.life = time.Duration(life * float64(time.Second))
		got.renewAt = asked.Add(time.Duration((life - margin) * float64(time.Second)))
	}
	return got, nil
}
