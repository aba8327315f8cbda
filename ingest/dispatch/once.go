package dispatch

import (
	"context"
	"errors"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/pacer"
)

// TryPage requests a page from one endpoint, once and without waiting. If that endpoint may not be asked now,
// it fails with ErrHeldOff or ErrBudgetSpent. The caller tells Succeeded of a page that it could decode.
func (d *Dispatcher) TryPage(ctx context.Context, from string, req api.Request, into *api.Buffer) (body string, err error) {
	if err := d.mayAskNow(from); err != nil {
		return "", err
	}
	var token *api.Access
	if from == api.Feed {
		if token, err = d.token(ctx); err != nil {
			return "", err
		}
	}
	d.mu.Lock()
	p := d.take(d.endpoints[from], token, req, time.Now())
	d.mu.Unlock()
	body, err = d.send(ctx, p, req, into)
	var answer *api.Error
	if errors.As(err, &answer) && answer.Endpoint == from && (answer.Named || answer.Means == api.MeansRateLimited) {
		err = errors.Join(err, d.persistHold(p.endpoint))
	}
	if answer != nil && answer.Means == api.MeansPageTooLarge {
		d.client.LimitRefused(from, p.pageSize, answer)
	}
	return body, err
}

func (d *Dispatcher) mayAskNow(from string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch p, now := d.endpoints[from], time.Now(); {
	case p.opensAt.After(now):
		return ErrHeldOff
	case d.next(p, now).After(now):
		return ErrBudgetSpent
	}
	return nil
}

// NeedsToken reports whether a request to the feed needs one for a token first.
func (d *Dispatcher) NeedsToken() bool { return d.tokens.fresh() == nil }

// TokenLife returns how long the current token lives by the API's word; 0 where there is none.
func (d *Dispatcher) TokenLife() time.Duration {
	if token := d.tokens.fresh(); token != nil {
		return token.Life
	}
	return 0
}

// LastPage returns the response time of the last whole page.
func (d *Dispatcher) LastPage() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.load.lastPage
}

// Gap returns the time between two requests to the endpoint while the first is in flight.
func (d *Dispatcher) Gap(endpoint string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gap(d.endpoints[endpoint])
}

// EndpointState has the limit and the waits of an endpoint.
type EndpointState struct {
	// Requests counts the requests to it, Limited its 429s.
	Requests, Limited int64
	// Budget is its rate limit.
	Budget pacer.Budget
	// OpensAt is when it may be asked again.
	OpensAt time.Time
}

// State returns the current state of an endpoint.
func (d *Dispatcher) State(of string) EndpointState {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.endpoints[of]
	return EndpointState{p.requests, p.limited, p.budget, p.opensAt}
}
