// Package reader finds what a command reads: the database file, or the copy that a running pull
// lends.
//
// It promises that a reader gets one of the two, or an error that names the process in the way.
// That holds while a pull begins or ends, too. It knows neither the pull nor what the reader does.
package reader
