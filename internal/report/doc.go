// Package report writes figures as one HTML page: headlines that state a finding, charts, and the
// figures behind each chart as a table.
//
// It promises that a page needs no network and no script, shows text from events as text, and has at
// most MaxBytes for any number of events. It reads nothing: internal/report/figures does.
package report
