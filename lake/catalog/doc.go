// Package catalog finds Iceberg tables and commits to them, through a REST catalog or directly in a bucket.
// A commit names its parent snapshot, and fails if a newer snapshot exists. The package knows no events and
// no positions.
package catalog
