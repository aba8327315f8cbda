package app

import (
	"strings"
	"testing"
)

func TestZones(t *testing.T) {
	for name, want := range map[string]string{
		"UTC": "", "Europe/Berlin": "", "EST": "",
		"Berlin": "did you mean Europe/Berlin?", "europe/berlin": "did you mean Europe/Berlin?", "new york": "did you mean America/New_York?",
		"tokyo": "did you mean Asia/Tokyo?", "utc": "did you mean UTC?", " UTC": "did you mean UTC?", "sydney": "did you mean Australia/Sydney?",
		"": "is not a time zone such as UTC", " ": "not a time zone such as UTC", "Local": "not a time zone such as UTC", "Nowhere": "not a time zone such as UTC",
		"../../etc/passwd": "is not a time zone such as UTC", "\x1b[2J": "not a time zone such as UTC", "\xff": "not a time zone such as UTC", "+02:00": "not a time zone such as UTC",
	} {
		zone, err := zoneNamed(name)
		if want == "" && (err != nil || zone.String() != name) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, %v, want %q", name, zone, err, want)
		}
	}
}
