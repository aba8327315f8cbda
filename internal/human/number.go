package human

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var (
	decimal = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)
	percent = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *%$`)
)

// Number reads a number, with a point before its fraction. It fails with an *Error.
func Number(text string) (float64, error) {
	s := strings.TrimSpace(text)
	if decimal.MatchString(s) {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f, nil
		}
	}
	e := &Error{Text: text, Problem: "is not a number", Write: []string{"0.5"}}
	if m := percent.FindStringSubmatch(s); m != nil {
		share, _ := new(big.Rat).SetString(m[1])
		f, _ := share.Mul(share, big.NewRat(1, 100)).Float64()
		e.Write, e.Likely = []string{strconv.FormatFloat(f, 'f', -1, 64)}, true
	} else if point := strings.Replace(s, ",", ".", 1); decimal.MatchString(point) {
		e.Write, e.Likely = []string{point}, true
	}
	return 0, e
}
