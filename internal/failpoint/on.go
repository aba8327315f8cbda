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

// hits counts how often the program has reached the point.
var hits atomic.Int64

// due reports whether the program ends at this hit, and whether it does so by a panic.
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

// Hit ends the program here if the environment names this point.
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

// Soon ends the program within 4 ms, during whatever it does next, if the environment names this
// point.
func Soon(name string) {
	if now, _ := due(name); now {
		time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, end)
	}
}
