package ingest

import (
	"context"
	"datasync/ingest/api"
	"sync"
	"time"
)

// renewalGap is the least time between two requests for access.
const renewalGap = 5 * time.Second

// tokens keeps the feed's token, for whoever stands first in its line; invalidate is for
// anybody.
type tokens struct {
	client *api.Client
	line   line

	mu      sync.Mutex
	current *api.Access
	asked   time.Time // for the last access
}

func newTokens(c *api.Client) *tokens { return &tokens{client: c, line: newLine()} }

// fresh returns the current token where it can be used: it is not near its end, or
// too young to be replaced.
func (t *tokens) fresh() *api.Access {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.current == nil || !t.current.RenewAt.IsZero() && !now.Before(t.current.RenewAt) && !now.Before(t.asked.Add(renewalGap)) {
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

// Renew asks for a new access.
func (t *tokens) renew(ctx context.Context) (*api.Access, error) {
	asked := time.Now()
	t.set(nil, asked)
	token, err := t.client.Access(ctx)
	t.set(token, asked)
	return token, err
}

func (t *tokens) set(token *api.Access, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.asked = token, asked
}

// invalidate forgets the token that the feed refused, and reports whether that was the
// current one.
func (t *tokens) invalidate(token *api.Access) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != token {
		return false
	}
	t.current = nil
	return true
}
