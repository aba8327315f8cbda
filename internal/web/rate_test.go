package web

import (
	"math"
	"strings"
	"testing"
	"time"
)

// TestRates: the rate is the mean of the last minute, whatever came before the page, and a later run counts anew.
func TestRates(t *testing.T) {
	at := time.Date(2026, 1, 27, 19, 0, 0, 0, time.UTC)
	var r rates
	if _, ok := r.mean(); ok {
		t.Error("a rate before the first look")
	}
	note := func(after time.Duration, events, feed int64) {
		r.note(at.Add(after), []Endpoint{{Name: "events", Read: events}, {Name: "feed", Read: feed}})
	}
	note(0, 1_000_000, 0) // read before the page was opened
	if _, ok := r.section(); ok {
		t.Error("a section before there is a rate")
	}
	for s := 1; s <= 10; s++ {
		note(time.Duration(s)*time.Second, 1_000_000+int64(s)*100, int64(s)*50)
	}
	if got, ok := r.mean(); !ok || math.Abs(got-150) > 0.01 {
		t.Errorf("after ten seconds: %v, %v", got, ok)
	}
	section, ok := r.section()
	if !ok || section.Headline != "150 events a second over the last minute" || len(section.Figures) != 1 || !strings.Contains(section.Note, "Stacked by endpoint") {
		t.Errorf("%v %+v", ok, section)
	}
	note(10*time.Minute, 1_001_000, 500) // nothing arrived meanwhile
	if got, _ := r.mean(); got != 0 {
		t.Errorf("after ten minutes: %v", got)
	}
	note(10*time.Minute+time.Second, 600, 0) // another run
	if got, _ := r.mean(); got < 9 || got > 11 {
		t.Errorf("600 events of another run in a minute: %v", got)
	}
	if most := r.most; most < 150 {
		t.Errorf("the axis shrank to %v", most)
	}
}
