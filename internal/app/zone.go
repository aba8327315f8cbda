package app

import (
	"time"
	_ "time/tzdata" // --timezone must work on machines without a zone database

	"datasync/internal/human"
)

// zoneNamed returns the time zone of that name in the IANA database.
func zoneNamed(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err == nil && name != "" && name != "Local" {
		return zone, nil
	}
	if likely := human.LikelyZone(name); likely != "" {
		return nil, usage("--timezone %s is not a time zone; did you mean %s?", human.Shown(name), likely)
	}
	return nil, usage("--timezone %s is not a time zone such as UTC or Europe/Berlin", human.Shown(name))
}
