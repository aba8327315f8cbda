package term

import (
	"fmt"
	"math"
	"time"

	"datasync/internal/human"
)

// Thousands writes n with a comma between groups of three digits, as human.Thousands does.
func Thousands(n int64) string { return human.Thousands(n) }

// Counted writes a number and the name of what it counts, as human.Counted does.
func Counted(n int64, thing string) string { return human.Counted(n, thing) }

// Duration writes a duration for a person, as human.Span does.
func Duration(d time.Duration) string { return human.Span(d) }

// Bytes writes a number of bytes for a person, in decimal units: "512 B", "22.8 MB", "1.2 GB".
func Bytes(n int64) string {
	size, units := float64(n), []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	for ; i < len(units)-1 && math.Abs(size) >= 999.95; i++ {
		size /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[i])
}
