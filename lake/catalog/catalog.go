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
	// ErrURL means that a text names no catalog.
	ErrURL = model.NewFailure(model.ExitUsage, "", "unusable catalog")
	// ErrNoTable means that there is no table of that name.
	ErrNoTable = model.NewFailure(model.ExitError, topic, "there is no such table")
	// ErrExists means that a table of that name was created meanwhile.
	ErrExists = model.NewFailure(model.ExitError, topic, "the table exists")
	// ErrConflict means that a commit is not in the table and never will be: another one came first.
	ErrConflict = errors.New("another commit came first")
	// ErrRefused means that the catalog refuses the credential, or wants one.
	ErrRefused = model.NewFailure(model.ExitError, topic, "the catalog refuses the credential")
	// ErrService means that the catalog cannot be reached, or fails.
	ErrService = model.NewFailure(model.ExitError, topic, "the catalog failed")
	// ErrOwned means that a folder has a table that another kind of catalog keeps.
	ErrOwned = model.NewFailure(model.ExitError, topic, "another catalog keeps this table")
)

// Options say where tables are.
type Options struct {
	// URL is that of a REST catalog, or s3://BUCKET/PREFIX for tables without a catalog.
	URL string
	// Endpoint is the URL of an S3 service other than AWS, or "".
	Endpoint string
	// Credential is for a REST catalog: the id and the secret of an OAuth client with a colon
	// between them, or a bearer token. "" sends none.
	Credential string
	// Wrote is called with the location of each file before it is written to a table; nil is allowed.
	Wrote func(location string) error
}

// Catalog has tables. Each table that it returns knows the metadata of the moment: commits to it fail
// with ErrConflict once there are newer ones. All other errors of a commit leave open whether it is in
// the table.
type Catalog interface {
	// Load returns a table. It fails with ErrNoTable, ErrRefused, ErrService or ErrOwned.
	Load(ctx context.Context, name table.Identifier) (*table.Table, error)
	// Create creates a table without rows, and its namespace. It fails with ErrExists.
	Create(ctx context.Context, name table.Identifier, d Definition) (*table.Table, error)
	// CheckCommits tries whether the service can keep two commits apart, before the first one.
	CheckCommits(ctx context.Context) error
	// Close closes connections.
	Close() error
}

// Definition says how a table is created.
type Definition struct {
	Schema     *iceberg.Schema
	Partition  *iceberg.PartitionSpec
	Sort       table.SortOrder
	Properties iceberg.Properties
}

// Open finds a catalog. It fails with ErrURL, ErrRefused or ErrService.
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

// committer passes commits on, and knows those that cannot be in the table. Its errors are not those
// for which iceberg-go tries again by itself: whether to do so is decided with the position.
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
