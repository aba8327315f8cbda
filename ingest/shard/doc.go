// Package shard lets several walks share a window of time. One goroutine, the coordinator's, moves the
// borders: it splits the shard with most left, merges what no walk reaches any more into the shard above,
// and restarts a window from its newest event if nothing else is left.
//
// A shard ends with the page that has the event with which the shard below began. So nothing can lie
// between them, however the API reads a bound in time.
//
// It does not know how a walk finds its pages, or how they are stored.
package shard
