// Package shard lets several walks share a window of time. One goroutine, the coordinator's, moves the
// borders: it splits the shard with most left, and merges a shard that no walk reaches any more into the
// one above. If nothing else helps, it restarts a window from its newest event.
//
// A shard ends with the page that has the event with which the shard below began. So no event
// between them is missed, however the API reads a bound in time.
//
// It does not know how a walk finds its pages, or how they are stored.
package shard
