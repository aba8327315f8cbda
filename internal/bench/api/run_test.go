package api

import (
	"testing"
	"time"

	"datasync/internal/bench/measure"
	"datasync/mockserver"
)

func TestRunFigures(t *testing.T) {
	served := mockserver.Stats{
		Events:       mockserver.EndpointStats{Requests: 60, Limited: 1, Pages: 59},
		Feed:         mockserver.EndpointStats{Requests: 39, Limited: 2, Pages: 37},
		StreamAccess: mockserver.EndpointStats{Requests: 1},
		Latency:      80 * time.Second, Blocked: 20 * time.Second,
	}
	r := Run{Workers: Sequential, Cost: measure.Cost{Wall: 105 * time.Second}, Served: served, Least: 30 * time.Second}
	if r.Floor() != 100*time.Second || r.OfFloor() != 1.05 || r.Sent() != 96 || r.Requests() != 100 || r.Limited() != 0.03 {
		t.Errorf("%v %v %v %v %v", r.Floor(), r.OfFloor(), r.Sent(), r.Requests(), r.Limited())
	}
	r.Workers = Auto
	if r.Floor() != 30*time.Second || r.OfFloor() != 3.5 {
		t.Errorf("auto: %v %v", r.Floor(), r.OfFloor())
	}
	if (Run{}).Limited() != 0 {
		t.Error("a share of no requests")
	}
}

func TestAgain(t *testing.T) {
	for _, c := range []struct {
		r    Resume
		want float64
	}{
		{Resume{Windows: 8, Sent: 612, Undisturbed: 608}, 0.5},
		{Resume{Windows: 0, Sent: 602, Undisturbed: 600}, 2},
		{Resume{Windows: 4, Sent: 600, Undisturbed: 602}, -0.5},
	} {
		if got := c.r.Again(); got != c.want {
			t.Errorf("%+v: %v", c.r, got)
		}
	}
}
