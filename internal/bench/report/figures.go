package report

import (
	"fmt"
	"time"
)

// Seconds writes a duration as "6.54 s".
func Seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// Milliseconds writes a duration as "31 ms".
func Milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

// MB writes bytes as "312 MB", of 1,000,000 bytes each.
func MB(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// Rate writes events a second as "0.61 M/s".
func Rate(perSecond float64) string { return fmt.Sprintf("%.3f M/s", perSecond/1e6) }

// Percent writes a share as "1.2 %"; "?" where it is negative, which is unknown.
func Percent(share float64) string {
	if share < 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f %%", share*100)
}
