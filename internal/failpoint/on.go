//go:build failpoint

package failpoint

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// hits counts how often the place has been come to.
var hits atomic.Int64

// due reports whether this is the hit at which the program is to end.
func due(name string) bool {
	wanted, count, _ := strings.Cut(os.Getenv("DATASYNC_FAILPOINT"), ":")
	if name != wanted {
		return false
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	return hits.Add(1) == n
}

func end() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL) }

// Hit ends the program here if that is what the environment says.
func Hit(name string) {
	if due(name) {
		end()
		select {} // the signal is on its way
	}
}

// Soon ends the program a moment from now, in the midst of what is done next, if
// that is what the environment says.
func Soon(name string) {
	if due(name) {
		time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, end)
	}
}
