// Package report writes what was measured as Markdown, and puts it between markers into a
// document that is otherwise written by hand.
package report
