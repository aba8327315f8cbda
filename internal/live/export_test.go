package live

import "time"

// BePatientFor sets how long a client may take.
func BePatientFor(s *Server, d time.Duration) { s.patience = d }
