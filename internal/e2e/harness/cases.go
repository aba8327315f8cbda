package harness

import "flag"

var (
	all       = flag.Bool("all", false, "try all cases where the tests try a few of them: minutes")
	killSeeds = flag.Int("kill-seeds", 3, "how many seeds the tests that kill at random try")
	soak      = flag.Bool("soak", false, "TestKillLoop with 3,000,000 events")
)

// All reports whether the tests try all of their cases (-all).
func All() bool { return *all }

// KillSeeds returns how many seeds the tests that kill at random try (-kill-seeds).
func KillSeeds() int { return *killSeeds }

// Soak reports whether TestKillLoop pulls 3,000,000 events (-soak).
func Soak() bool { return *soak }

// Tried reports whether the ith of n cases is tried: all are with -all, else a few, spread over
// the list. So go test has something of each suite and ends within minutes.
func Tried(i, n, few int) bool { return *all || i*few%n < few }

// Some returns the cases to try: all with -all, else a few, spread over the list from its first.
func Some[T any](cases []T, few int) []T {
	if *all || len(cases) <= few {
		return cases
	}
	var chosen []T
	for i := range few {
		chosen = append(chosen, cases[i*len(cases)/few])
	}
	return chosen
}
