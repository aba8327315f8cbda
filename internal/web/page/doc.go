// Package page is the document of the live page: HTML with its styles and scripts inside, and the content
// security policy that allows these and nothing else.
//
// It promises that the document carries no data, loads nothing, and shows what a server sends as text, but
// for the sections that internal/report writes. It knows neither the server nor the file.
package page
