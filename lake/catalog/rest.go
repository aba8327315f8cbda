package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"

	"datasync/internal/model"

	icecat "github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// restCatalog keeps tables in a REST catalog.
type restCatalog struct {
	*rest.Catalog
	buckets *buckets
	url     string
	secrets []string
}

func openREST(ctx context.Context, buckets *buckets, opts Options) (*restCatalog, error) {
	address, options, err := parse(opts.URL)
	if err != nil {
		return nil, err
	}
	c := &restCatalog{buckets: buckets, url: address, secrets: secretsOf(opts.Credential)}
	if opts.Credential != "" {
		if strings.Contains(opts.Credential, ":") {
			options = append(options, rest.WithCredential(opts.Credential))
		} else {
			options = append(options, rest.WithOAuthToken(opts.Credential))
		}
	}
	options = append(options, rest.WithCustomTransport(newRetrying()))
	registerOnce()
	if c.Catalog, err = rest.NewCatalog(ctx, "datasync", address, options...); err != nil {
		return nil, c.failed(ctx, err)
	}
	return c, nil
}

// parse returns the address of a catalog and the parameters of its query. It fails with ErrURL.
func parse(text string) (string, []rest.Option, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", nil, fmt.Errorf("%w: write https://HOST/PATH of a REST catalog, or s3://BUCKET/PREFIX", ErrURL)
	case u.User != nil:
		return "", nil, fmt.Errorf("%w: the URL has a credential in it; set DATASYNC_CATALOG_CREDENTIAL instead", ErrURL)
	case u.Fragment != "":
		return "", nil, fmt.Errorf("%w: %q has a part after #", ErrURL, text)
	}
	var options []rest.Option
	region, service, sign := "", "", false
	for key, values := range u.Query() {
		value := values[0]
		switch key {
		case "warehouse":
			options = append(options, rest.WithWarehouseLocation(value))
		case "prefix":
			options = append(options, rest.WithPrefix(value))
		case "scope":
			options = append(options, rest.WithScope(value))
		case "audience":
			options = append(options, rest.WithAudience(value))
		case "resource":
			options = append(options, rest.WithResource(value))
		case "oauth2-server-uri":
			server, err := url.Parse(value)
			if err != nil || server.Host == "" {
				return "", nil, fmt.Errorf("%w: oauth2-server-uri %q is no URL", ErrURL, value)
			}
			options = append(options, rest.WithAuthURI(server))
		case "rest.sigv4-enabled":
			sign = value == "true"
		case "rest.signing-region":
			region = value
		case "rest.signing-name":
			service = value
		default:
			return "", nil, fmt.Errorf("%w: the URL has the unknown parameter %q; there are warehouse, prefix, scope, audience, resource, oauth2-server-uri, rest.sigv4-enabled, rest.signing-region and rest.signing-name",
				ErrURL, key)
		}
	}
	if sign {
		options = append(options, rest.WithSigV4RegionSvc(region, service))
	}
	u.RawQuery = ""
	return strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), "/v1"), options, nil
}

func secretsOf(credential string) []string {
	var secrets []string
	for _, s := range append(strings.SplitN(credential, ":", 2), credential) {
		if len(s) > 3 { // a shorter one would blank parts of ordinary words
			secrets = append(secrets, s, url.QueryEscape(s))
		}
	}
	return secrets
}

// registerOnce registers a file system factory, because iceberg-go passes a catalog's S3 properties, such
// as credentials, to factories only.
var registerOnce = sync.OnceFunc(func() {
	for _, scheme := range []string{"s3", "s3a", "s3n"} {
		iceio.Register(scheme, func(_ context.Context, _ *url.URL, properties map[string]string) (iceio.IO, error) {
			return given{properties: properties}, nil
		})
	}
})

// given is a file system that only holds properties.
type given struct {
	iceio.IO
	properties map[string]string
}

// withFiles returns a table that reads and writes files with package bucket.
func (c *restCatalog) withFiles(t *table.Table) *table.Table {
	return table.New(t.Identifier(), t.Metadata(), t.MetadataLocation(), func(ctx context.Context) (iceio.IO, error) {
		system, err := t.FS(ctx)
		if err != nil {
			return nil, c.failed(ctx, err)
		}
		files := &Files{ctx: ctx, buckets: c.buckets}
		if g, ok := system.(given); ok {
			files.properties = maps.Clone(g.properties)
		}
		return files, nil
	}, committer{c})
}

func (c *restCatalog) Load(ctx context.Context, name table.Identifier) (*table.Table, error) {
	t, err := c.Catalog.LoadTable(ctx, name)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return c.withFiles(t), nil
}

// LoadTable is Load, for iceberg-go.
func (c *restCatalog) LoadTable(ctx context.Context, name table.Identifier) (*table.Table, error) {
	return c.Load(ctx, name)
}

// CommitTable sends a commit once. After a lost response, the caller reloads the table to learn the
// outcome.
func (c *restCatalog) CommitTable(ctx context.Context, name table.Identifier, requirements []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	meta, location, err := c.Catalog.CommitTable(ctx, name, requirements, updates)
	if err != nil && !errors.Is(err, table.ErrCommitFailed) {
		err = c.failed(ctx, err)
	}
	return meta, location, err
}

func (c *restCatalog) Create(ctx context.Context, name table.Identifier, d Definition) (*table.Table, error) {
	properties := maps.Clone(d.Properties)
	properties[table.MetadataDeleteAfterCommitEnabledKey] = "true" // some catalogs leave the deletion to the client
	options := []icecat.CreateTableOpt{icecat.WithPartitionSpec(d.Partition), icecat.WithSortOrder(d.Sort), icecat.WithProperties(properties)}
	t, err := c.CreateTable(ctx, name, d.Schema, options...)
	if errors.Is(err, icecat.ErrNoSuchNamespace) {
		for i := range name[:len(name)-1] {
			if err := c.CreateNamespace(ctx, name[:i+1], nil); err != nil && !errors.Is(err, icecat.ErrNamespaceAlreadyExists) {
				return nil, c.failed(ctx, err)
			}
		}
		t, err = c.CreateTable(ctx, name, d.Schema, options...)
	}
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return c.withFiles(t), nil
}

// CheckCommits trusts a REST catalog, because the REST specification requires atomic commits.
func (c *restCatalog) CheckCommits(context.Context) error { return nil }

// failed returns an error that names the catalog and no credential.
func (c *restCatalog) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	kind, hint := ErrService, ""
	switch {
	case errors.Is(err, icecat.ErrNoSuchTable):
		kind = ErrNoTable
	case errors.Is(err, icecat.ErrTableAlreadyExists):
		kind = ErrExists
	case errors.Is(err, rest.ErrOAuthError) && (err.Error() == "" || strings.Contains(err.Error(), "cannot fetch token")):
		// The response is missing, or not from an OAuth server.
	case errors.Is(err, rest.ErrUnauthorized), errors.Is(err, rest.ErrForbidden), errors.Is(err, rest.ErrOAuthError):
		kind, hint = ErrRefused, "; check DATASYNC_CATALOG_CREDENTIAL"
		if len(c.secrets) == 0 {
			hint = "; set DATASYNC_CATALOG_CREDENTIAL to ID:SECRET or to a token"
		}
	}
	var send *url.Error
	if errors.As(err, &send) { // the text of a *url.Error repeats the URL
		err = send.Err
	}
	text := model.Line(err)
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return &Error{text: fmt.Sprintf("catalog %s: %v: %s%s", c.url, kind, text, hint), kind: kind, cause: err}
}

// Error is a failure of a REST catalog. Its text has no credential.
type Error struct {
	text        string
	kind, cause error
}

func (e *Error) Error() string { return e.text }

// Unwrap returns the kind, such as ErrRefused, and the cause.
func (e *Error) Unwrap() []error { return []error{e.kind, e.cause} }
