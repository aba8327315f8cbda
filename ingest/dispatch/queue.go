package dispatch

import "context"

// queue lets one requester through at a time, in the order in which they came.
type queue chan struct{}

func newQueue() queue { return make(queue, 1) }

func (q queue) enter(ctx context.Context) error {
	select {
	case q <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q queue) leave() { <-q }
