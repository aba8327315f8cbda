package lake

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"
	"time"

	"datasync/lake/catalog"

	"github.com/apache/iceberg-go/table"
)

// sweep removes this table's files of killed exports. It finds them in journals, and by a listing if the
// bucket allows one.
func (x *exporter) sweep(ctx context.Context) error {
	t, err := x.catalog.Load(ctx, x.feed.name)
	if errors.Is(err, catalog.ErrNoTable) {
		return nil
	}
	if err != nil {
		return err
	}
	files, err := catalog.FilesOf(ctx, t)
	if err != nil {
		return err
	}
	live := sync.OnceValues(func() (map[string]bool, error) { return liveFiles(ctx, t) })
	if err := x.sweepJournals(ctx, t, files, live); err != nil {
		return err
	}
	named, err := live()
	if err != nil {
		return err
	}
	var orphans []string
	err = files.List(ctx, dataFolder(t), func(f catalog.File) error {
		name := path.Base(f.Location)
		if strings.HasPrefix(name, ours) && !named[key(f.Location)] && time.Since(f.Modified) > orphanAge(name) {
			orphans = append(orphans, f.Location)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := x.remove(ctx, files, orphans); err != nil {
		return err
	}
	if x.run.plan.DryRun {
		return x.finishAfter(ctx, t)
	}
	// A table bucket may not list uploads: it deletes their parts together with the table.
	if aborted, err := files.AbortUploads(ctx, dataFolder(t), func(name string, began time.Time) bool {
		return strings.HasPrefix(name, ours) && time.Since(began) > orphanAge(name)
	}); err == nil {
		x.run.result.Removed += aborted
	}
	trimmed, err := catalog.Trim(ctx, x.catalog, x.feed.name)
	if err != nil {
		return err
	}
	x.run.result.Removed += int64(trimmed)
	return x.finishAfter(ctx, t)
}

// finishAfter is finish after a sweep without an export.
func (x *exporter) finishAfter(ctx context.Context, t *table.Table) error {
	st, err := read(ctx, t, x.meta.Origin)
	if err != nil {
		return err
	}
	return x.finish(ctx, st)
}

// ours is the prefix of all data file names. replacing is the prefix for --replace, whose uploads may start
// long before their commit.
const (
	ours      = "datasync-"
	replacing = ours + "replace-"
)

// orphanAge is the age at which a sweep removes an unused file.
func orphanAge(name string) time.Duration {
	if strings.HasPrefix(name, replacing) {
		return 24 * time.Hour
	}
	return abandoned
}

// sweepOld removes the files in old journals before an export.
func (x *exporter) sweepOld(ctx context.Context, t *table.Table) error {
	files, err := catalog.FilesOf(ctx, t)
	if err != nil {
		return err
	}
	return x.sweepJournals(ctx, t, files, sync.OnceValues(func() (map[string]bool, error) { return liveFiles(ctx, t) }))
}

// sweepJournals removes the files in old journals that the table does not have.
func (x *exporter) sweepJournals(ctx context.Context, t *table.Table, files *catalog.Files, live func() (map[string]bool, error)) error {
	below := []string{key(t.Location()) + "/", key(dataFolder(t)) + "/"}
	return x.journal.old(func(locations []string) ([]string, error) {
		named, err := live()
		if err != nil {
			return nil, err
		}
		var orphans, others []string
		for _, location := range locations {
			switch k := key(location); {
			case !strings.HasPrefix(k, below[0]) && !strings.HasPrefix(k, below[1]):
				others = append(others, location) // belong to another table, whose export removes them
			case !named[k]:
				orphans = append(orphans, location)
			}
		}
		if x.run.plan.DryRun {
			others = locations
		}
		return others, x.remove(ctx, files, orphans)
	})
}

// remove deletes files and counts them, unless this is a dry run.
func (x *exporter) remove(ctx context.Context, files *catalog.Files, orphans []string) error {
	if len(orphans) > 0 && !x.run.plan.DryRun {
		if err := files.Delete(ctx, orphans...); err != nil {
			return err
		}
	}
	x.run.result.Removed += int64(len(orphans))
	return nil
}

// key is the bucket and the key of a location, without the scheme: Hadoop has three schemes for S3.
func key(location string) string {
	_, rest, _ := strings.Cut(location, "://")
	return strings.TrimSuffix(rest, "/")
}

// liveFiles returns the metadata files of a table and all files of its snapshots.
func liveFiles(ctx context.Context, t *table.Table) (map[string]bool, error) {
	live := map[string]bool{key(t.MetadataLocation()): true}
	for entry := range t.Metadata().PreviousFiles() {
		live[key(entry.MetadataFile)] = true
	}
	files, err := t.FS(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range t.Metadata().Snapshots() {
		live[key(s.ManifestList)] = true
		manifests, err := s.Manifests(files)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if live[key(m.FilePath())] {
				continue
			}
			live[key(m.FilePath())] = true
			for e, err := range m.Entries(files, false) { // includes the entries of older snapshots
				if err != nil {
					return nil, err
				}
				live[key(e.DataFile().FilePath())] = true
			}
		}
	}
	return live, nil
}
