package human

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// areas are those of the zones of cities, the one with the most users first.
var areas = []string{"Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/", "America/Argentina/", "America/Indiana/"}

// LikelyZone returns the time zone that a user may have meant by a city, or by another case or spaces,
// or "".
func LikelyZone(name string) string {
	if strings.TrimSpace(name) == "" {
		return ""
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || unicode.IsSpace(r) })
	parts := strings.Split(strings.Join(words, "_"), "/")
	for i, part := range parts {
		words := strings.Split(part, "_")
		for j, word := range words {
			first, size := utf8.DecodeRuneInString(word)
			words[j] = string(unicode.ToUpper(first)) + strings.ToLower(word[size:])
		}
		parts[i] = strings.Join(words, "_")
	}
	city := strings.Join(parts, "/")
	candidates := []string{city, strings.ToUpper(city)}
	for _, area := range areas {
		candidates = append(candidates, area+city)
	}
	for _, zone := range candidates {
		if _, err := time.LoadLocation(zone); err == nil && zone != "Local" && zone != name {
			return zone
		}
	}
	return ""
}
