package mockserver

import (
	"errors"
	"fmt"
	"slices"
)

// Verify reports, joined, what was wrong about the requests so far:
//
//   - a request to an endpoint inside a wait that one of its answers had named
//     (429, or any status with Retry-After)
//   - no header X-API-Key, no cookie dashboard_api_key, or two keys; stream-access
//     without Content-Type application/json: whether Options.Strict refuses them or not
//   - a page asked for without limit
//   - a path that is none of the API's, or none that a pull needs; a method other than
//     GET, or POST for stream-access; a foreign origin
//   - a scripted fault that too few requests have met
//
// It does not judge what the client made of the answers.
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
