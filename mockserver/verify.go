package mockserver

import (
	"errors"
	"fmt"
	"slices"
)

// Verify returns the violations so far, joined:
//
//   - a request to an endpoint during a wait that one of its answers named (429, or any status
//     with Retry-After)
//   - no header X-API-Key, no cookie dashboard_api_key, or two keys; stream-access without
//     Content-Type application/json: whether Options.Strict refuses them or not
//   - a request for a page without limit
//   - a path that the API does not have or a pull does not need; a method other than GET, or
//     POST for stream-access; another origin
//   - a scripted fault that too few requests had
//
// It does not check what the client did with the answers.
func (s *Server) Verify() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := &s.journal
	errs := slices.Clone(j.violations)
	if more := j.violated - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more violations", more))
	}
	for _, r := range s.scripts {
		if err := r.unmet(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
