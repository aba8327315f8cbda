package app

import (
	"strings"
	"time"
	_ "time/tzdata" // --timezone must work on machines without a zone database
	"unicode"
	"unicode/utf8"

	"datasync/internal/human"
)

// zoneNamed returns the time zone of that name in the IANA database.
func zoneNamed(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err == nil && name != "" && name != "Local" {
		return zone, nil
	}
	if likely := likelyZone(name); likely != "" {
		return nil, usage("--timezone %s is not a time zone; did you mean %s?", human.Shown(name), likely)
	}
	return nil, usage("--timezone %s is not a time zone such as UTC or Europe/Berlin", human.Shown(name))
}

// likelyZone returns the zone that a user may have meant by a city, or by another case or spaces.
func likelyZone(name string) string {
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
	if strings.TrimSpace(name) == "" {
		return ""
	}
	city := strings.Join(parts, "/")
	for _, zone := range []string{
		city, strings.ToUpper(city), "Europe/" + city, "America/" + city, "Asia/" + city, "Africa/" + city, "Australia/" + city, "Pacific/" + city,
		"Atlantic/" + city, "Indian/" + city,
	} {
		if _, err := time.LoadLocation(zone); err == nil && zone != "Local" && zone != name {
			return zone
		}
	}
	return ""
}
