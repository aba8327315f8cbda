// Package report writes measurements as Markdown, between the markers of a document that is
// otherwise written by hand.
package report
