package term

import (
	"strings"
)

// UTF8 reports whether the environment's locale uses UTF-8, by LC_ALL, LC_CTYPE or LANG.
func (t IO) UTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := t.Getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// Blocks draws a share from 0 to 1 as a bar within so many columns: in eighths of a block, or in whole # where the
// locale does not use UTF-8. More than nothing is at least the smallest mark.
func Blocks(share float64, columns int, utf8 bool) string {
	if share <= 0 || columns <= 0 {
		return ""
	}
	share = min(share, 1)
	if !utf8 {
		return strings.Repeat("#", max(1, int(share*float64(columns)+0.5)))
	}
	eighths := max(1, int(share*float64(8*columns)+0.5))
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
