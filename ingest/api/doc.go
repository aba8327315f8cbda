// Package api sends one request and returns one typed answer: no wait, no retry, and the key goes
// nowhere else. It does not know when an endpoint may be asked, what a page contains, or where a
// walk goes.
package api
