package human

import (
	"strconv"
	"strings"
)

// sizes are the units of a number of bytes, as in DuckDB.
var sizes = map[string]float64{
	"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
}

// Bytes reads a number of bytes with a unit, in any case: 100MB, 100M and 1.5 GB are powers of 1000,
// 2GiB of 1024. Without a unit it is bytes. The largest is 1024 TiB. It fails with an *Error.
func Bytes(text string) (int64, error) {
	s := strings.ToUpper(strings.TrimSpace(text))
	number := strings.TrimRight(s, "BIKMGT ")
	factor := sizes[strings.TrimSpace(s[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || factor == 0 || strings.Trim(number, "0123456789.") != "":
		return 0, &Error{Text: text, Problem: "is not a size", Write: likelySizes(s)}
	case n*factor > 1<<50:
		return 0, &Error{text, "is too large", []string{"at most 1024TiB"}, true}
	}
	return int64(n * factor), nil
}

// likelySizes returns the sizes that a user may have meant by s, or examples.
func likelySizes(s string) []string {
	if m := leading.FindStringSubmatch(s); m != nil && strings.Contains("KMGT", m[2]) {
		return []string{m[1] + m[2] + "B"}
	}
	return []string{"100MB", "2GiB"}
}
