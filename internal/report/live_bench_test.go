package report_test

import (
	"slices"
	"testing"

	"datasync/internal/report"
)

// BenchmarkLive measures what a pull pays for each drawing of the sections that follow its batches.
func BenchmarkLive(b *testing.B) {
	r := lively(31).report()
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = 0
		for _, part := range r.Parts() {
			if !slices.Contains(report.LiveParts(), part.ID) {
				continue
			}
			section := part.Draw()
			html, err := section.HTML()
			if err != nil {
				b.Fatal(err)
			}
			size += len(html)
		}
	}
	b.ReportMetric(float64(size), "bytes")
}
