// Package api has services with several kinds of limits, by which a pull is measured. For each it
// computes the least time in which the service can serve so many pages.
package api
