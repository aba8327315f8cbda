package measure

import (
	"os"
	"strconv"
	"strings"
)

const unknown = -1

// cpuTimes are the machine's CPU times since it started, in ticks.
type cpuTimes struct{ all, stolen float64 }

// readCPU reads /proc/stat; without one it returns zeros.
func readCPU() cpuTimes {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTimes{}
	}
	return parseCPU(string(text))
}

// parseCPU reads the first line of /proc/stat (proc_stat(5)): user, nice, system, idle,
// iowait, irq, softirq, steal, and guest times, which are part of user and nice.
func parseCPU(text string) (t cpuTimes) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	const first, steal, guest = 1, 8, 9
	if len(fields) < guest || fields[0] != "cpu" {
		return cpuTimes{}
	}
	for i := first; i < guest; i++ {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return cpuTimes{}
		}
		t.all += n
		if i == steal {
			t.stolen = n
		}
	}
	return t
}

// stealUntil is the share that was stolen between t and a later reading.
func (t cpuTimes) stealUntil(later cpuTimes) float64 {
	if t.all == 0 || later.all <= t.all {
		return unknown
	}
	return (later.stolen - t.stolen) / (later.all - t.all)
}

// load is the load average of the last minute.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return unknown
	}
	first, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return unknown
	}
	return n
}
