package human

import (
	"strings"

	"github.com/xrash/smetrics"
)

// Nearest returns the name that a user may have meant by text, or "". It ignores case, hyphens,
// underscores and spaces.
func Nearest(text string, names []string) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
	}
	typed, best, similarity := plain(text), "", 0.86
	for _, name := range names {
		if s := smetrics.JaroWinkler(plain(name), typed, 0.7, 4); len(typed) > 1 && s > similarity {
			best, similarity = name, s
		}
	}
	return best
}

// DidYouMean returns "; did you mean NAME?" with the nearest of the names, or "" if none is near.
func DidYouMean(text string, names []string) string {
	if near := Nearest(text, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
