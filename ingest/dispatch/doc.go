// Package dispatch sends each request to an endpoint that may be asked, when it may be asked. It keeps
// the four waits apart: rate limits and Retry-After before a request (pick.go), retries after a failure
// (retry.go, the only place that uses backoff), renewals of the feed's token (token.go). Package walk
// handles the fourth, an expired cursor.
//
// It does not know what a page contains, which page comes next, or how many walks there are.
package dispatch
