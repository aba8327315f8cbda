// Package ingest pulls everything new, exactly once: it opens windows of time, lets package shard walk them,
// collects the pages into batches, and hands those to a Store.
//
// It does not know the command line, and not the database behind the Store.
package ingest
