package app

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"datasync/internal/human"
	"datasync/internal/model"

	"github.com/urfave/cli/v2"
)

// lakeTarget is an Iceberg table, as the command line names it.
type lakeTarget struct {
	table    model.LakeTable
	endpoint string
}

// lakeFlags are the options that name an Iceberg table.
func lakeFlags(usage string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "iceberg", Usage: usage},
		&cli.StringFlag{Name: "catalog", Usage: "the `URL` of the table's catalog: https://HOST of a REST catalog, or s3://BUCKET/PREFIX without one"},
		&cli.StringFlag{Name: "endpoint", Usage: "the `URL` of an S3 service other than AWS"},
	}
}

// credentialsHint says how to set credentials. They are never options, because ps shows options.
const credentialsHint = "credentials come from the environment: DATASYNC_CATALOG_CREDENTIAL for a REST catalog, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for S3"

// readLakeTarget reads the options that name an Iceberg table.
func readLakeTarget(c *cli.Context) (t lakeTarget, err error) {
	name := strings.TrimSpace(c.String("iceberg"))
	switch parts := strings.Split(name, "."); {
	case len(parts) < 2 || slices.Contains(parts, "") || strings.ContainsFunc(name, isNoName):
		return t, usage("--iceberg %s is no name of a table; write NAMESPACE.TABLE, such as analytics.events", typed(c, "iceberg"))
	case strings.HasSuffix(name, rejectedSuffix):
		return t, usage("--iceberg %s is the name of a table of rejects; write %s, whose rejects go there", typed(c, "iceberg"), strings.TrimSuffix(name, rejectedSuffix))
	case !c.IsSet("catalog"):
		return t, usage("--iceberg needs --catalog: https://HOST of a REST catalog, or s3://BUCKET/PREFIX")
	}
	t.table.Name = name
	if t.table.Catalog, err = readCatalog(c); err == nil {
		t.endpoint, err = readEndpoint(c)
	}
	return t, err
}

// rejectedSuffix ends the name of the table with a table's rejects.
const rejectedSuffix = "_rejected"

func isNoName(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\"'?#%@:`, r) }

// readCatalog reads the option --catalog.
func readCatalog(c *cli.Context) (string, error) {
	text := strings.TrimSpace(c.String("catalog"))
	address, query, _ := strings.Cut(text, "?")
	if strings.HasPrefix(text, "s3://") {
		address, query = text, ""
	}
	if err := errors.Join(withoutSecret("catalog", address), checkCatalogQuery(query)); err != nil {
		return "", err
	}
	if strings.HasPrefix(text, "s3://") {
		if bucket, key, ok := splitS3(text); ok {
			return strings.TrimSuffix("s3://"+bucket+"/"+key, "/"), nil
		}
		return "", usage("--catalog %s names no bucket; write s3://BUCKET/PREFIX", human.Shown(text))
	}
	if _, ok := httpURL(text); !ok {
		return "", usage("--catalog %s is neither https://HOST of a REST catalog nor s3://BUCKET/PREFIX", shownUnlessSecret(text))
	}
	return text, nil
}

// catalogParameters are the parameters that the URL of a REST catalog may have. None is a secret.
var catalogParameters = []string{"warehouse", "prefix", "scope", "audience", "resource", "oauth2-server-uri", "rest.sigv4-enabled", "rest.signing-region", "rest.signing-name"}

// checkCatalogQuery refuses a query with other parameters. It repeats none, because a parameter may be a
// secret.
func checkCatalogQuery(query string) error {
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	for name, all := range values {
		if !slices.Contains(catalogParameters, name) || len(all) != 1 || strings.Contains(all[0], "@") {
			err = errors.New("unknown")
		}
	}
	if err != nil {
		return usage("--catalog has another parameter after ? than %s: omit it; %s", strings.Join(catalogParameters, ", "), credentialsHint)
	}
	return nil
}

// readEndpoint reads the option --endpoint; "" without it.
func readEndpoint(c *cli.Context) (string, error) {
	if !c.IsSet("endpoint") {
		return "", nil
	}
	text := strings.TrimSpace(c.String("endpoint"))
	if err := withoutSecret("endpoint", text); err != nil {
		return "", err
	}
	u, ok := httpURL(text)
	if !ok || strings.Trim(u.Path, "/") != "" {
		return "", usage("--endpoint %s is no address of an S3 service; write https://HOST or http://HOST:PORT", shownUnlessSecret(text))
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// httpURL parses the URL of a service.
func httpURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	return u, err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Opaque == ""
}

// withoutSecret refuses a URL with a part that may be a secret, and does not repeat it.
func withoutSecret(option, text string) error {
	switch {
	case strings.Contains(text, "@"):
		return usage("--%s has a user name or password before an @: omit it; %s", option, credentialsHint)
	case strings.ContainsAny(text, "?#"):
		return usage("--%s has a query or a fragment, after ? or #: omit it; %s", option, credentialsHint)
	}
	return nil
}

// shownUnlessSecret formats a value for a message, and hides it if it may be ID:SECRET or a token.
func shownUnlessSecret(text string) string {
	if strings.Contains(text, ":") && !strings.Contains(text, "://") || keyLike.MatchString(text) {
		return "(not shown)"
	}
	return human.Shown(text)
}

// bucketName matches the name of a bucket. Names of old buckets may have capitals and underscores.
var bucketName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$`)

// splitS3 splits s3://BUCKET/KEY; the key has no slash at its ends.
func splitS3(text string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(text, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	key = strings.TrimRight(key, "/")
	if !ok || !bucketName.MatchString(bucket) || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "", false
	}
	if key != "" {
		for part := range strings.SplitSeq(key, "/") {
			if part == "" || part == "." || part == ".." {
				return "", "", false
			}
		}
	}
	return bucket, key, true
}

// isSecretOption reports whether other programs take a credential by this option.
func isSecretOption(name string) bool {
	return slices.Contains([]string{"credential", "credentials", "token", "password", "secret", "secret-key", "secret-access-key", "access-key", "access-key-id", "aws-access-key-id",
		"aws-secret-access-key", "session-token", "aws-session-token", "client-id", "client-secret", "catalog-credential"}, strings.ToLower(name))
}
