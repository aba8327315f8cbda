// Package pages makes the pages that every measured program reads, once, and serves
// them by a server that does next to nothing, so that it is not the server that is
// measured.
//
// A Set is one file with a page a line, each exactly as the events endpoint of the
// project's mockserver gives it, and an index. The same bytes go over HTTP and are read
// from disk by the rival that needs no HTTP.
package pages
