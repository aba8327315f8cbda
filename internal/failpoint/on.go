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

// due reports whether this is the hit at which the program is to end, and whether it is to
// panic there.
func due(name string) (end, panics bool) {
	wanted, count, _ := strings.Cut(os.Getenv("DATASYNC_FAILPOINT"), ":")
	wanted, panics = strings.CutPrefix(wanted, "panic ")
	if name != wanted {
		return false, false
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	return hits.Add(1) == n, panics
}

func end() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL) }

// Hit ends the program here if that is what the environment says.
func Hit(name string) {
	now, panics := due(name)
	switch {
	case now && panics:
		panic("failpoint " + name)
	case now:
		end()
		select {} // the signal is on its way
	}
}

// Soon ends the program a moment from now, in the midst of what is done next, if
// that is what the environment says.
func Soon(name string) {
	if now, _ := due(name); now {
		time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, end)
	}
}
