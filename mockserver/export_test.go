package mockserver

import "context"

// HoldCounts makes every request that needs counts wait for release, like a first count of a large
// set.
func (s *Server) HoldCounts() (release func()) {
	s.data.counter.mu.Lock()
	return s.data.counter.mu.Unlock
}

// FirstOfType returns the number of the first event of a type, or Len.
func (d *Dataset) FirstOfType(ctx context.Context, kind string) int {
	v := d.view()
	return filter{kind: kind}.over(v).next(ctx, 0, v.len())
}
