package report

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"datasync/internal/report/figures"
)

// MaxBytes bounds a page.
const MaxBytes = 500_000

// generator is in the head of a page, by which IsReport knows it.
const generator = `<meta name="generator" content="datasync report">`

// IsReport reports whether a file is a page that Write wrote: its first 512 bytes have the mark of one.
func IsReport(file string) bool {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe has no writer to wait for
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	return (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) && bytes.Contains(head[:n], []byte(generator))
}

// Report is what a page shows.
type Report struct {
	// Title heads the page; "" is "Events" and the period.
	Title string
	// File names the database file, Version the program.
	File, Version string
	// Made is when the figures were read.
	Made time.Time
	// Zone is the time zone of all days and hours; it must be that of the figures.
	Zone    *time.Location
	Figures *figures.Figures
	Trust   *figures.Trust
	Pull    *figures.Pull
}

// in converts an instant to the report's time zone.
func (r *Report) in(t time.Time) time.Time { return t.In(r.Zone) }

// date returns the date of a figures.Day at noon in the report's time zone, so that its name is that of
// the day there.
func (r *Report) date(d time.Time) time.Time {
	y, m, day := d.Date()
	return time.Date(y, m, day, 12, 0, 0, 0, r.Zone)
}
