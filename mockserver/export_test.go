package mockserver

import "context"

// HoldCounts makes every request that needs counts wait for release, as if a first
// count of a large set were under way.
func (s *Server) HoldCounts() (release func()) {
	s.data.counter.mu.Lock()
	return s.data.counter.mu.Unlock
}

// FirstOfType is the number of the first event of a type, or Len.
func (d *Dataset) FirstOfType(ctx context.Context, kind string) int {
	v := d.view()
	return filter{kind: kind}.over(v).next(ctx, 0, v.len())
}
