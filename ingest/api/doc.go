// Package api sends one request and returns one typed answer: no wait, no retry, and the key goes
// nowhere else.
//
// It does not know when an endpoint may be called, which events a page holds, or where a walk
// continues.
package api
