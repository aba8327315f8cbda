// Package pages makes the pages that every measured program reads, once, and serves
// them by a server that does next to nothing, so that it is not the server that is
// measured.
//
// A Set is a file for each page, exactly as the events endpoint of the project's mockserver
// gives it, and an index. The same files go over HTTP and are read by the rival that needs
// no HTTP.
package pages
