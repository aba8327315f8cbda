// Package catalog finds Iceberg tables and commits to them: by a REST catalog, or without one in a
// bucket. A commit names the snapshot that it continues, and fails if that is no longer the newest.
// It knows no events and no positions.
package catalog
