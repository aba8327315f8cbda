// Package dispatch sends each request to an endpoint that may be asked, when it may be asked. It keeps
// the four waits apart: rate limits and Retry-After before a request (pick.go), retries after a failure
// (retry.go, the only place that uses backoff), renewals of the feed's token (token.go). The fourth,
// an expired cursor, is the affair of package walk.
//
// It does not know what a page contains, which page comes next, or how many walks there are.
package dispatch
