package lake

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
	"datasync/lake/rows"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// part has batches that are in files in the bucket, but in no table yet.
type part struct {
	after, upTo int64
	shape       string
	rows        int64
	files       []iceberg.DataFile
	locations   []string
	sent        time.Time
	// unknown means that the outcome of its commit is unknown, so its files must stay.
	unknown bool
}

// next returns the position after the part.
func (x *exporter) next(ctx context.Context, own *model.LakePosition, p *part) (model.LakePosition, error) {
	rows, checksum, err := x.feed.Between(ctx, p.after, p.upTo)
	if err != nil {
		return model.LakePosition{}, err
	}
	if rows != p.rows {
		return model.LakePosition{}, fmt.Errorf("database %q has %d rows in batches %d to %d, and %d were written", x.run.plan.Name, rows, p.after+1, p.upTo, p.rows)
	}
	return position.Next(own, x.meta.Origin, x.meta.Lineage, uuid.NewString(), p.upTo, rows, checksum), nil
}

// commitRows is the greatest number of rows in a commit.
func (x *exporter) commitRows() int64 { return cmp.Or(x.run.plan.CommitRows, rows.MaxRows) }

// prepare writes and uploads the files of the next part, unless it already has them.
func (x *exporter) prepare(ctx context.Context, st *state, s *shape, after int64) error {
	if p := x.part; p != nil {
		if p.after == after && p.shape == s.key() && time.Since(p.sent) < fresh {
			return nil
		}
		x.discard(ctx)
	}
	cuts, err := x.feed.Cuts(ctx, after, x.checked, x.commitRows())
	if err != nil {
		return err
	}
	x.part, err = x.send(ctx, st, s, after, cuts[0])
	return err
}

// room checks the disk space for batches. Their Parquet files take no more space than the database file.
func (x *exporter) room(ctx context.Context, after, upTo int64) error {
	info, err := os.Stat(x.run.plan.Database)
	if err != nil {
		return err
	}
	all, err := x.feed.Count(ctx, 0, upTo)
	if err != nil || all == 0 {
		return err
	}
	part, err := x.feed.Count(ctx, after, upTo)
	if err != nil {
		return err
	}
	return dbfile.CheckStaging(x.run.plan.Name, x.run.plan.Staging, int64(float64(info.Size())*float64(part)/float64(all)))
}

// send writes batches to files and uploads them.
func (x *exporter) send(ctx context.Context, st *state, s *shape, after, upTo int64) (_ *part, err error) {
	files, err := catalog.FilesOf(ctx, st.table)
	if err != nil {
		return nil, err
	}
	if err := x.room(ctx, after, upTo); err != nil {
		return nil, err
	}
	p := &part{after: after, upTo: upTo, shape: s.key(), sent: time.Now()}
	folder, attempt, prefix := dataFolder(st.table), uuid.NewString(), ours
	if x.run.plan.Replace {
		prefix = replacing
	}
	names := func(day string, n int) string {
		name := fmt.Sprintf("%s%d-%d-%d-%s-%d.parquet", prefix, st.base(), after+1, upTo, attempt, n)
		if day != "" {
			name = "timestamp_day=" + day + "/" + name
		}
		return name
	}
	written, err := x.feed.Write(ctx, rows.Part{After: after, UpTo: upTo, Columns: s.columns, UUID: s.uuid, PartitionBy: s.by, Name: names, Wrote: x.progress.copy})
	if err != nil {
		return nil, err
	}
	staging, err := filepath.Abs(x.run.plan.Staging)
	if err != nil {
		return nil, err
	}
	for _, f := range written {
		inside, err := filepath.Rel(staging, f.Path)
		if err != nil {
			return nil, err
		}
		location := folder + "/" + filepath.ToSlash(inside)
		d, err := dataFile(st.table, s, f, location)
		if err != nil {
			return nil, err
		}
		p.files, p.locations, p.rows = append(p.files, d), append(p.locations, location), p.rows+f.Rows
	}
	x.part = p                             // so that a failure removes the uploaded files
	sent := make(chan int64, len(written)) // buffered for all: a sender never blocks
	group, sending := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for i, f := range written {
		group.Go(func() error {
			if err := files.Upload(sending, p.locations[i], f.Path, nil); err != nil {
				return err
			}
			sent <- f.Rows
			return os.Remove(f.Path)
		})
	}
	go func() {
		err = group.Wait()
		close(sent)
	}()
	for rows := range sent {
		x.progress.upload(rows)
	}
	return p, err
}

// dataFolder returns the location of a table's data files.
func dataFolder(t *table.Table) string {
	if folder := t.Properties()[table.WriteDataPathKey]; folder != "" {
		return strings.TrimSuffix(folder, "/")
	}
	return strings.TrimSuffix(t.Location(), "/") + "/data"
}

// discard deletes the files of an uncommitted part.
func (x *exporter) discard(ctx context.Context) {
	p := x.part
	x.part = nil
	if p == nil || len(p.locations) == 0 {
		return
	}
	if p.unknown {
		x.journal.keep() // a later export decides
		return
	}
	t, err := x.catalog.Load(ctx, x.feed.name)
	if err == nil {
		var files *catalog.Files
		if files, err = catalog.FilesOf(ctx, t); err == nil {
			err = files.Delete(ctx, p.locations...)
		}
	}
	if err != nil {
		x.journal.keep() // the next export deletes them
	}
}

// abandonTime bounds the deletion of uncommitted files, also after a signal.
const abandonTime = 10 * time.Second

// abandon deletes the files of an uncommitted part, unless its commit may still arrive.
func (x *exporter) abandon(ctx context.Context) {
	if x.part == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
	defer cancel()
	x.discard(ctx)
}
