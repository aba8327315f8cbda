package human

import (
	"math/big"
	"regexp"
	"strings"
)

var (
	// scaled matches a number with a letter for its scale.
	scaled = regexp.MustCompile(`^([+-]?)([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([kKmMgG]?)$`)
	// grouped matches a whole number whose digits are in groups of three.
	grouped = regexp.MustCompile(`^[+-]?[0-9]{1,3}(?:,[0-9]{3})+$|^[+-]?[0-9]{1,3}(?:_[0-9]{3})+$`)
	power   = regexp.MustCompile(`^[+-]?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{1,2}$`)
	leading = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*(\pL)`)
)

// TooLarge is the problem of a number that no program counts to.
const TooLarge = "is too large"

// scales are the letters of scales and their factors.
var scales = map[string]int64{"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}

// Count reads a whole number: 300000, 300,000, 300_000, 300k, 3M, 1.5M, 3e6. k, M and G are thousands,
// millions and thousands of millions, in any case. A fraction without them is refused, because
// 300.000 is ambiguous. It fails with an *Error.
func Count(text string) (int64, error) {
	value := rational(strings.TrimSpace(text))
	switch {
	case value == nil || !value.IsInt():
		if likely := likelyCounts(strings.TrimSpace(text)); likely != nil {
			return 0, &Error{text, "is not a count", likely, true}
		}
		return 0, &Error{text, "is not a count", []string{"300000", "3M"}, false}
	case !value.Num().IsInt64():
		return 0, &Error{text, TooLarge, []string{"at most 9G"}, true}
	}
	return value.Num().Int64(), nil
}

// rational returns the number that s is, or nil.
func rational(s string) *big.Rat {
	if grouped.MatchString(s) {
		s = strings.NewReplacer(",", "", "_", "").Replace(s)
	}
	m := scaled.FindStringSubmatch(s)
	switch {
	case m != nil && (m[3] != "" || !strings.Contains(m[2], ".")):
		value, _ := new(big.Rat).SetString(m[1] + m[2])
		return value.Mul(value, big.NewRat(scales[strings.ToLower(m[3])], 1))
	case power.MatchString(s):
		value, _ := new(big.Rat).SetString(s)
		return value
	}
	return nil
}

// likelyCounts returns the counts that a user may have meant by s.
func likelyCounts(s string) []string {
	if m := leading.FindStringSubmatch(s); m != nil {
		scale := map[string]string{"k": "k", "t": "k", "m": "M", "g": "G", "b": "G"}[strings.ToLower(m[2])]
		if value := rational(m[1] + scale); scale != "" && value.IsInt() && value.Num().IsInt64() {
			return []string{m[1] + scale}
		}
	}
	whole := strings.Map(func(r rune) rune {
		if strings.ContainsRune(".,' _", r) {
			return -1
		}
		return r
	}, s)
	if whole == s || strings.Trim(whole, "0123456789") != "" || whole == "" || len(whole) > 18 {
		return nil
	}
	if k, ok := strings.CutSuffix(whole, "000"); ok && k != "" {
		return []string{whole, k + "k"}
	}
	return []string{whole}
}
