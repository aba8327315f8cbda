// Package ingest is the pull: it reads the API's pages within the limits that
// the API sets and hands them, decoded and checked, to a store.
//
// A page counts only whole: well-formed to its last byte, with as many events as
// it says. No endpoint is asked before the time that it asked for. The key goes
// to the API's own origin and nowhere else.
package ingest
