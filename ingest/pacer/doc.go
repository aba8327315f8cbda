// Package pacer computes how the API's limits are best used: how an endpoint's budget is
// spent, how many requests at a time are worth while, and how long a pull must take. It
// waits for nothing and has no clock; whoever uses it says what time it is.
package pacer
