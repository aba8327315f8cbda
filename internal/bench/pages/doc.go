// Package pages makes the pages that every measured program reads, once. Its server does next to
// nothing else than send them, so that the measurement shows the programs.
//
// A Set is a file for each page, exactly as the events endpoint of the project's mockserver
// gives it, and an index. The same files go over HTTP and are read by the rival that needs
// no HTTP.
package pages
