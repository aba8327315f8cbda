package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"datasync/internal/model"

	"datasync/lake/bucket"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// topic is the section of docs/operations.md.
const topic = "lake"

var (
	// ErrURL says that a string is not a valid URL of a catalog, or not a valid table name.
	ErrURL = model.NewFailure(model.ExitUsage, "", "unusable catalog")
	// ErrNoTable says that the catalog has no table with that name.
	ErrNoTable = model.NewFailure(model.ExitError, topic, "there is no such table")
	// ErrExists says that another process has created a table with that name.
	ErrExists = model.NewFailure(model.ExitError, topic, "the table exists")
	// ErrConflict says that another commit was first, so this one is not in the table and cannot arrive later.
	ErrConflict = errors.New("another commit was first")
	// ErrRefused says that the catalog rejects the credential, or requires one.
	ErrRefused = model.NewFailure(model.ExitError, topic, "the catalog refuses the credential")
	// ErrService says that the catalog is unreachable, or it fails.
	ErrService = model.NewFailure(model.ExitError, topic, "the catalog failed")
	// ErrOwned says that the folder has a table of another kind of catalog.
	ErrOwned = model.NewFailure(model.ExitError, topic, "another catalog keeps this table")
)

// Options say where tables are.
type Options struct {
	// URL is the URL of a REST catalog, or s3://BUCKET/PREFIX for tables without a catalog.
	URL string
	// Endpoint is the URL of an S3 service other than AWS, or "".
	Endpoint string
	// Credential is for a REST catalog: ID:SECRET of an OAuth client, or a bearer token. "" sends none.
	Credential string
	// Wrote receives the location of each file before a commit writes it; nil is allowed.
	Wrote func(location string) error
}

// Catalog has tables. Each returned table has the metadata at that time: a commit to it fails with
// ErrConflict after any newer commit. After all other errors of a commit, its outcome is unknown.
type Catalog interface {
	// Load returns a table. It fails with ErrNoTable, ErrRefused, ErrService or ErrOwned.
	Load(ctx context.Context, name table.Identifier) (*table.Table, error)
	// Create creates a table without rows, and its namespace. It fails with ErrExists.
	Create(ctx context.Context, name table.Identifier, d Definition) (*table.Table, error)
	// CheckCommits checks that the service rejects the second of two concurrent commits.
	CheckCommits(ctx context.Context) error
	// Close closes the connections.
	Close() error
}

// Definition says how Create creates a table.
type Definition struct {
	Schema     *iceberg.Schema
	Partition  *iceberg.PartitionSpec
	Sort       table.SortOrder
	Properties iceberg.Properties
}

// Open opens a catalog. It fails with ErrURL, ErrRefused or ErrService.
func Open(ctx context.Context, opts Options) (Catalog, error) {
	buckets := newBuckets(opts.Endpoint, opts.Wrote)
	if strings.HasPrefix(opts.URL, "s3://") {
		name, prefix, err := bucket.ParseURL(opts.URL)
		if err != nil {
			return nil, err
		}
		return openFolder(ctx, buckets, name, prefix)
	}
	return openREST(ctx, buckets, opts)
}

// Name returns NAMESPACE.TABLE as an identifier. It fails with ErrURL.
func Name(text string) (table.Identifier, error) {
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`/\"?#%`, r) }) {
			return nil, fmt.Errorf("%w: %q is no name of a table: write NAMESPACE.TABLE", ErrURL, text)
		}
	}
	if len(parts) < 2 {
		return nil, fmt.Errorf("%w: %q names no namespace: write NAMESPACE.TABLE", ErrURL, text)
	}
	return parts, nil
}

// committer forwards commits and recognizes those that failed. Its errors do not cause iceberg-go to retry:
// the caller first compares the position, then decides.
type committer struct {
	table.CatalogIO
}

func (c committer) CommitTable(ctx context.Context, name table.Identifier, requirements []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	metadata, location, err := c.CatalogIO.CommitTable(ctx, name, requirements, updates)
	switch {
	case err == nil:
		return metadata, location, nil
	case errors.Is(err, table.ErrCommitFailed) && !errors.Is(err, ErrConflict):
		return nil, "", fmt.Errorf("%w: %s", ErrConflict, model.Line(err))
	}
	return nil, "", err
}
