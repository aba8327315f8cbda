// Package web serves the charts of a file as a live page on this machine's loopback address: what a pull does each
// second, the figures of its events, and a box for read-only SQL.
//
// It promises that each figure names the batch that it is of, that no request holds the file for longer than it
// runs, that memory stays bounded for any number of days and clients, that a slow client delays no other, and
// that a panic in it ends neither the page nor a pull.
// Package guard decides who is served, package page is the document. It knows neither the pull nor the command line.
package web
