// Package kill_test kills the program: at failpoints, at random moments and by signals, while it
// pulls, exports and is read. The next run must end as if nothing had happened.
package kill_test

import (
	"testing"

	"datasync/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
