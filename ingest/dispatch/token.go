package dispatch

import (
	"context"
	"sync"
	"time"

	"datasync/ingest/api"
)

// renewalGap is the least time between two requests for access.
const renewalGap = 5 * time.Second

// tokens keeps the feed's token. The first requester in its queue renews it. Any goroutine may call
// invalidate.
type tokens struct {
	client *api.Client
	queue  queue

	mu      sync.Mutex
	current *api.Access
	// requestedAt is when access was requested last.
	requestedAt time.Time
}

func newTokens(c *api.Client) *tokens { return &tokens{client: c, queue: newQueue()} }

// fresh returns the current token if it may be sent: it does not expire soon, or is too young to be
// replaced.
func (t *tokens) fresh() *api.Access {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.current == nil || !t.current.RenewAt.IsZero() && !now.Before(t.current.RenewAt) && !now.Before(t.requestedAt.Add(renewalGap)) {
		return nil
	}
	return t.current
}

// pause returns how long there can be no token because the last one, which was refused, is too young.
func (t *tokens) pause() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil || t.requestedAt.IsZero() {
		return 0
	}
	return time.Until(t.requestedAt.Add(renewalGap))
}

// renew requests a new token.
func (t *tokens) renew(ctx context.Context) (*api.Access, error) {
	now := time.Now()
	t.set(nil, now)
	token, err := t.client.Access(ctx)
	t.set(token, now)
	return token, err
}

func (t *tokens) set(token *api.Access, requestedAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current, t.requestedAt = token, requestedAt
}

// invalidate drops a token that the feed refused, and reports whether it was the current one.
func (t *tokens) invalidate(token *api.Access) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != token {
		return false
	}
	t.current = nil
	return true
}
