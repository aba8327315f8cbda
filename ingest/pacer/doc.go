// Package pacer computes what follows from limits: how to spend the budget of an endpoint, how many
// concurrent requests are worthwhile, and how long a pull takes at least.
//
// It never waits, has no clock and knows no endpoint: the caller passes the time.
package pacer
