package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"datasync/lake/bucket"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
)

// folder keeps tables in folders of a bucket, with numbered metadata files like Hadoop's catalog. A commit
// creates the next number with If-None-Match, so only one of two writers succeeds.
type folder struct {
	buckets *buckets
	bucket  *bucket.Bucket
	prefix  string
}

func openFolder(ctx context.Context, buckets *buckets, name, prefix string) (*folder, error) {
	b, err := buckets.get(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	return &folder{buckets, b, prefix}, nil
}

func (c *folder) Close() error { return nil }

func (c *folder) CheckCommits(ctx context.Context) error {
	return c.bucket.CheckConditional(ctx, c.prefix)
}

func (c *folder) key(name table.Identifier, more ...string) string {
	return bucket.Join(append(append([]string{c.prefix}, name...), more...)...)
}

func (c *folder) location(key string) string { return "s3://" + c.bucket.Name() + "/" + key }

func (c *folder) filesOf(ctx context.Context) (iceio.IO, error) {
	return &Files{ctx, c.buckets, nil}, nil
}

var (
	numbered = regexp.MustCompile(`^v([0-9]{1,18})(\.gz|\.zstd)?\.metadata\.json$`)
	metadata = regexp.MustCompile(`\.metadata\.json(\.gz)?$`)
)

// version is a metadata file.
type version struct {
	number   int64
	key      string
	modified time.Time
}

// versions returns a table's metadata files and the newest of them. Its key is "" without metadata. It
// fails with ErrOwned.
func (c *folder) versions(ctx context.Context, name table.Identifier) (all []version, newest version, err error) {
	foreign := ""
	for o, err := range c.bucket.List(ctx, c.key(name, "metadata")+"/") {
		if err != nil {
			return nil, version{}, err
		}
		base := path.Base(o.Key)
		m := numbered.FindStringSubmatch(base)
		if m == nil {
			if metadata.MatchString(base) {
				foreign = o.Key
			}
			continue
		}
		number, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return nil, version{}, err
		}
		v := version{number, o.Key, o.Modified}
		all = append(all, v)
		if newest.key == "" || number > newest.number {
			newest = v
		}
	}
	if newest.key == "" && foreign != "" {
		return nil, version{}, fmt.Errorf("table %s: %w: its metadata is in %s; give the URL of that catalog",
			strings.Join(name, "."), ErrOwned, c.location(foreign))
	}
	return all, newest, nil
}

func (c *folder) Load(ctx context.Context, name table.Identifier) (*table.Table, error) {
	t, _, err := c.load(ctx, name)
	return t, err
}

func (c *folder) load(ctx context.Context, name table.Identifier) (*table.Table, version, error) {
	_, newest, err := c.versions(ctx, name)
	if err != nil {
		return nil, version{}, err
	}
	if newest.key == "" {
		return nil, version{}, fmt.Errorf("table %s: %w in %s", strings.Join(name, "."), ErrNoTable, c.location(c.prefix))
	}
	t, err := table.NewFromLocation(ctx, name, c.location(newest.key), c.filesOf, committer{c})
	if err != nil {
		return nil, version{}, fmt.Errorf("read the table's metadata %s: %w", c.location(newest.key), err)
	}
	return t, newest, nil
}

// LoadTable implements Load for iceberg-go.
func (c *folder) LoadTable(ctx context.Context, name table.Identifier) (*table.Table, error) {
	return c.Load(ctx, name)
}

func (c *folder) Create(ctx context.Context, name table.Identifier, d Definition) (*table.Table, error) {
	_, newest, err := c.versions(ctx, name)
	if err != nil {
		return nil, err
	}
	if newest.key != "" {
		return nil, ErrExists
	}
	meta, err := table.NewMetadata(d.Schema, d.Partition, d.Sort, c.location(c.key(name)), d.Properties)
	if err != nil {
		return nil, fmt.Errorf("create table %s: %w", strings.Join(name, "."), err)
	}
	location, err := c.write(ctx, name, meta, 1)
	if errors.Is(err, bucket.ErrExists) {
		return nil, ErrExists
	}
	if err != nil {
		return nil, err
	}
	return table.New(name, meta, location, c.filesOf, committer{c}), nil
}

// write creates a metadata file. It fails with bucket.ErrExists.
func (c *folder) write(ctx context.Context, name table.Identifier, meta table.Metadata, number int64) (string, error) {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(meta); err != nil {
		return "", err
	}
	key := c.key(name, "metadata", fmt.Sprintf("v%d.metadata.json", number))
	err := c.bucket.Put(ctx, key, text.Bytes(), bucket.PutOptions{IfAbsent: true})
	if err != nil {
		return "", err
	}
	_ = c.hint(ctx, name, number) // the next export looks again
	return c.location(key), nil
}

// hintName is the file in which readers by path find the number of the newest metadata file.
const hintName = "version-hint.text"

// hint writes the number of the newest metadata file into version-hint.text, starting from a known number.
// Afterwards it looks for a newer number, because another commit may have happened meanwhile.
func (c *folder) hint(ctx context.Context, name table.Identifier, number int64) error {
	for {
		if err := c.bucket.Put(ctx, c.key(name, "metadata", hintName), []byte(strconv.FormatInt(number, 10)), bucket.PutOptions{}); err != nil {
			return err
		}
		_, newest, err := c.versions(ctx, name)
		if err != nil || newest.number <= number {
			return err
		}
		number = newest.number
	}
}

// Hint repairs version-hint.text of a table without a catalog. If a kill follows a commit, the hint is
// stale, and many readers would read the old table.
func Hint(ctx context.Context, c Catalog, t *table.Table) error {
	f, ok := c.(*folder)
	if !ok {
		return nil
	}
	m := numbered.FindStringSubmatch(path.Base(t.MetadataLocation()))
	if m == nil {
		return nil
	}
	text, err := f.bucket.Get(ctx, f.key(t.Identifier(), "metadata", hintName))
	switch {
	case err != nil && !errors.Is(err, bucket.ErrMissing):
		return err
	case err == nil && strings.TrimSpace(string(text)) == m[1]:
		return nil
	}
	number, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return err
	}
	return f.hint(ctx, t.Identifier(), number)
}

// CommitTable creates the next metadata file if the newest one meets the requirements.
func (c *folder) CommitTable(ctx context.Context, name table.Identifier, requirements []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	base, newest, err := c.load(ctx, name)
	if err != nil {
		return nil, "", err
	}
	for _, r := range requirements {
		if err := r.Validate(base.Metadata()); err != nil {
			return nil, "", fmt.Errorf("%w: %w", ErrConflict, err)
		}
	}
	meta, err := table.UpdateTableMetadata(base.Metadata(), updates, base.MetadataLocation())
	if err != nil {
		return nil, "", err
	}
	location, err := c.write(ctx, name, meta, newest.number+1)
	switch {
	case errors.Is(err, bucket.ErrExists):
		return nil, "", fmt.Errorf("%w: %w", ErrConflict, err)
	case err != nil:
		return nil, "", err
	}
	if err := c.follows(ctx, name, newest.number+1, location); err != nil {
		return nil, "", err
	}
	return meta, location, nil
}

// follows reports whether a new metadata file is the newest one, or its ancestor. It is neither if the
// process paused while so many commits happened that Trim deleted its number.
func (c *folder) follows(ctx context.Context, name table.Identifier, number int64, location string) error {
	_, newest, err := c.versions(ctx, name)
	if err != nil || newest.number == number {
		return err
	}
	t, _, err := c.load(ctx, name)
	if err != nil {
		return err
	}
	for entry := range t.Metadata().PreviousFiles() {
		if entry.MetadataFile == location {
			return nil
		}
	}
	return fmt.Errorf("the commit to %s came too late: the table is at %s", location, t.MetadataLocation())
}

const (
	// keptVersions and keptTime say which old metadata files Trim keeps: those that the newest one names,
	// and recent ones, which readers may just have listed.
	keptVersions = 100
	keptTime     = 10 * time.Minute
)

// Trim deletes old metadata files of a table without a catalog, and returns their number. A REST catalog
// does that itself.
func Trim(ctx context.Context, c Catalog, name table.Identifier) (int, error) {
	f, ok := c.(*folder)
	if !ok {
		return 0, nil
	}
	all, newest, err := f.versions(ctx, name)
	if err != nil {
		return 0, err
	}
	var old []string
	for _, v := range all {
		// The service's clock sets both times.
		if v.number <= newest.number-keptVersions && newest.modified.Sub(v.modified) > keptTime {
			old = append(old, v.key)
		}
	}
	return len(old), f.bucket.Delete(ctx, old...)
}
