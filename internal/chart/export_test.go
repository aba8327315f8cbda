package chart

// Num is num.
func Num(v float64) string { return num(v) }
