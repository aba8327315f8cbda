package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

const (
	// failures is how often in a row a commit may fail without a word on why, and conflicts how often
	// others may come first, before an export gives up.
	failures  = 10
	conflicts = 300
	// firstPause doubles up to lastPause after each failure.
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
	// uploads is how many files are sent at once.
	uploads = 4
	// trimEvery is after how many commits old metadata files are looked for.
	trimEvery = 50
	// fresh is how old the files of a part may be in a commit: sweeps remove what nobody commits after an
	// hour.
	fresh = 30 * time.Minute
)

// exporter brings one table up to date with one feed.
type exporter struct {
	*run
	feed feed
	// part is what was written and sent for the next commit.
	part *part
	// last is the position whose rows were compared with the file.
	last   *model.LakePosition
	result model.LakeTableResult
}

// part is batches that are in files in the bucket, and in no table yet.
type part struct {
	after, upTo int64
	shape       string
	rows        int64
	files       []iceberg.DataFile
	locations   []string
	sent        time.Time
	// tried are the commits of the part, by their ids. base and latest are the newest snapshots before the
	// first and the last of them, or 0.
	tried        map[string]bool
	base, latest int64
}

// name is the table's name.
func (x *exporter) name() string { return strings.Join(x.feed.name, ".") }

// asked is the table as the plan wants it; the layout is for the table of events.
func (x *exporter) asked() model.LakeTable {
	asked := *x.run.plan.Table
	if x.feed.lazy {
		asked.PartitionBy = ""
	}
	return asked
}

// plan adds the rows that are left to the progress.
func (x *exporter) plan(ctx context.Context) error {
	after := int64(0)
	t, err := x.catalog.Load(ctx, x.feed.name)
	switch {
	case errors.Is(err, catalog.ErrNoTable):
	case err != nil:
		return err
	default:
		st, err := read(ctx, t, x.meta.Origin)
		if err != nil {
			return err
		}
		if st.own != nil && !x.run.plan.Replace {
			after = st.own.Batch
		}
	}
	rows, err := x.feed.Count(ctx, after, x.checked)
	x.progress.total += rows
	return err
}

// do brings the table up to date, or compares, and returns what it has then.
func (x *exporter) do(ctx context.Context) (*model.LakeTableResult, error) {
	var err error
	switch {
	case x.run.plan.Sweep:
		err = x.sweep(ctx)
	case x.run.plan.Do == model.LakeDoStatus || x.run.plan.DryRun:
		err = x.compareOnly(ctx)
	case x.run.plan.Replace:
		err = x.replace(ctx)
	default:
		err = x.export(ctx)
	}
	if err != nil {
		x.abandon(ctx)
		return nil, err
	}
	if x.result.Table == "" {
		return nil, nil
	}
	return &x.result, nil
}

// load returns the table. It is created if need be: whether one was created whose answer is lost, the next
// look tells.
func (x *exporter) load(ctx context.Context) (*table.Table, error) {
	by := x.feed.by
	if asked := x.asked().PartitionBy; asked != "" {
		by = rows.Partitioning(asked)
	}
	d, err := define(x.feed.columns, x.asked(), by)
	if err != nil {
		return nil, err
	}
	for failed := 0; ; {
		t, err := x.catalog.Load(ctx, x.feed.name)
		if !errors.Is(err, catalog.ErrNoTable) {
			return t, err
		}
		t, err = x.catalog.Create(ctx, x.feed.name, d)
		switch {
		case err == nil:
			return t, nil
		case errors.Is(err, catalog.ErrExists):
			continue
		case !errors.Is(err, catalog.ErrService):
			return nil, err
		}
		if failed++; failed > failures {
			return nil, err
		}
		if err := pause(ctx, failed); err != nil {
			return nil, err
		}
	}
}

// export commits part after part until the table has all batches.
func (x *exporter) export(ctx context.Context) error {
	if x.feed.lazy {
		if rows, err := x.feed.Count(ctx, 0, x.checked); err != nil || rows == 0 {
			return err
		}
	}
	failed, beaten, swept := 0, 0, false
	for {
		t, err := x.load(ctx)
		if err != nil {
			if failed == 0 || ctx.Err() != nil {
				return err
			}
			return fmt.Errorf("%w; whether the last commit is in table %s is unknown: the next export finds out", err, x.name())
		}
		if !swept {
			if err := x.sweepOld(ctx, t); err != nil {
				return err
			}
			swept = true
		}
		sent, done, err := x.step(ctx, t)
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			failed, beaten = 0, 0
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, catalog.ErrConflict):
			if beaten++; beaten > conflicts {
				return fmt.Errorf("table %s: other writers came first %d times in a row: %w", x.name(), beaten, err)
			}
			if err := pause(ctx, min(beaten, 4)); err != nil {
				return err
			}
		case !sent || isFinal(err):
			return err
		default:
			if failed++; failed > failures {
				return err
			}
			if err := pause(ctx, failed); err != nil {
				return err
			}
		}
	}
}

// isFinal tells whether an error of a commit is the same the next time.
func isFinal(err error) bool {
	return errors.Is(err, catalog.ErrRefused) || errors.Is(err, catalog.ErrNoTable) || model.ExitOf(err).Code == model.ExitData
}

// pause waits after failure number n.
func pause(ctx context.Context, n int) error {
	longest := min(firstPause<<n, lastPause)
	timer := time.NewTimer(time.Duration(rand.Int64N(int64(longest))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// step commits the next part to a table as it was loaded. done says that there was none. sent says that
// err is that of the commit itself, which may be in the table all the same.
func (x *exporter) step(ctx context.Context, t *table.Table) (sent, done bool, err error) {
	st, err := read(ctx, t, x.meta.Origin)
	if err != nil {
		return false, false, err
	}
	if err := x.agree(ctx, st); err != nil {
		return false, false, err
	}
	x.settle(ctx, st)
	s, err := shapeOf(t, x.feed.columns, x.asked(), false)
	if err != nil {
		return false, false, err
	}
	after := int64(0)
	if st.own != nil {
		after = st.own.Batch
	}
	left, err := x.feed.Count(ctx, after, x.checked)
	if err != nil {
		return false, false, err
	}
	if left == 0 {
		if err := catalog.Hint(ctx, x.catalog, t); err != nil {
			return false, false, err
		}
		return false, true, x.finish(ctx, st)
	}
	if err := x.trust(ctx); err != nil {
		return false, false, err
	}
	if err := x.prepare(ctx, st, s, after); err != nil {
		return false, false, err
	}
	next, err := x.next(ctx, st.own, x.part)
	if err != nil {
		return false, false, err
	}
	x.part.try(st, next)
	committed, err := commit(ctx, st, s, x.part.files, next)
	if err != nil {
		x.journal.keep() // it names the manifests of this commit
		return true, false, err
	}
	x.committed(ctx, committed, next)
	return true, false, nil
}

// agree compares a table with the file.
func (x *exporter) agree(ctx context.Context, st *state) error {
	f := x.file()
	if err := position.CheckTable(st.says); err != nil {
		return err
	}
	if err := position.CheckFile(st.says, f); err != nil {
		return err
	}
	if st.own == nil || x.last != nil && *x.last == *st.own {
		return nil
	}
	if st.own.Batch > x.checked {
		return nil // another export of a newer copy: this file has nothing to compare
	}
	rows, checksum, err := x.feed.UpTo(ctx, st.own.Batch)
	if err != nil {
		return err
	}
	if err := position.CheckRows(st.says, f, *st.own, rows, checksum); err != nil {
		return err
	}
	x.last = st.own
	return nil
}

func (x *exporter) file() position.File {
	return position.File{Name: x.run.plan.Name, Origin: x.meta.Origin, Lineage: x.meta.Lineage, Last: x.checked}
}

// trust checks once that commits cannot overwrite each other.
func (x *exporter) trust(ctx context.Context) error {
	if x.trusted {
		return nil
	}
	err := x.catalog.CheckCommits(ctx)
	x.trusted = err == nil
	return err
}

// settle looks whether the part that was sent is in the table after all, or can never be.
func (x *exporter) settle(ctx context.Context, st *state) {
	if x.part == nil || st.own == nil || st.own.Batch <= x.part.after {
		return
	}
	// Others may have come after a commit of ours whose answer was lost.
	if at, _ := x.part.fate(st.table, x.meta.Origin); at != nil {
		x.committed(ctx, st.table, *at)
		return
	}
	// Another export has the batches, or some of them.
	x.discard(ctx)
	x.progress.commit(0)
}

// committed counts a part that is in the table.
func (x *exporter) committed(ctx context.Context, t *table.Table, at model.LakePosition) {
	x.result.Added += x.part.rows
	x.result.Commits++
	x.run.result.Files += int64(len(x.part.files))
	for _, f := range x.part.files {
		x.run.result.Bytes += f.FileSizeBytes()
	}
	x.progress.commit(x.part.rows)
	x.part, x.last = nil, &at
	err := expire(ctx, t)
	if err == nil && x.result.Commits%trimEvery == 1 {
		_, err = catalog.Trim(ctx, x.catalog, x.feed.name)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, catalog.ErrConflict) {
		x.opts.Warning("old snapshots of table " + x.name() + " stay until the next export: " + model.Line(err))
	}
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

// prepare writes and sends the files of the next part, unless they are there already.
func (x *exporter) prepare(ctx context.Context, st *state, s *shape, after int64) error {
	if p := x.part; p != nil {
		if p.after == after && p.shape == s.key() && time.Since(p.sent) < fresh {
			return nil
		}
		x.discard(ctx)
	}
	cuts, err := x.feed.Cuts(ctx, after, x.checked, rows.MaxRows)
	if err != nil {
		return err
	}
	x.part, err = x.send(ctx, st, s, after, cuts[0])
	return err
}

// room checks the disk space for batches: Parquet takes no more of it than the file does.
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

// send writes batches to files and sends them.
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
	x.part = p                             // so that a failure removes what was sent
	sent := make(chan int64, len(written)) // room for all: a sender never waits
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

// discard deletes the files of a part that is not needed, unless a commit of it is in the table or may
// still get there: then a later export or a sweep looks again.
func (x *exporter) discard(ctx context.Context) {
	p := x.part
	x.part = nil
	if p == nil || len(p.locations) == 0 {
		return
	}
	t, err := x.catalog.Load(ctx, x.feed.name)
	if err == nil {
		if _, never := p.fate(t, x.meta.Origin); !never {
			x.journal.keep()
			return
		}
		var files *catalog.Files
		if files, err = catalog.FilesOf(ctx, t); err == nil {
			err = files.Delete(ctx, p.locations...)
		}
	}
	if err != nil {
		x.journal.keep() // the next export looks for them
	}
}

// abandonTime is how long files that were sent in vain may take to be deleted, also after a signal.
const abandonTime = 10 * time.Second

// abandon deletes the files of a part that was not committed, unless a commit of it may still come.
func (x *exporter) abandon(ctx context.Context) {
	if x.part == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
	defer cancel()
	x.discard(ctx)
}

// finish fills in the result from a table that is up to date.
func (x *exporter) finish(ctx context.Context, st *state) error {
	if x.part != nil {
		x.discard(ctx)
	}
	r := &x.result
	r.Table, r.Location, r.Metadata = x.name(), st.table.Location(), st.table.MetadataLocation()
	if head := st.table.CurrentSnapshot(); head != nil {
		r.Snapshot = &head.SnapshotID
	}
	r.Rows, r.Position, r.Batch = st.says.Rows, st.own, x.checked
	if st.own != nil && st.own.Batch < x.checked {
		left, err := x.feed.Count(ctx, st.own.Batch, x.checked)
		if err != nil {
			return err
		}
		if left == 0 {
			r.Batch = st.own.Batch // batches without rows are not exported
		}
	}
	r.Others = position.Others(st.says.Positions, x.meta.Origin)
	var err error
	r.FileRows, err = x.feed.Count(ctx, 0, x.checked)
	if err == nil && st.own != nil && st.own.Batch > x.checked && x.run.plan.Do == model.LakeDoExport {
		x.opts.Warning(fmt.Sprintf("table %s is at batch %d, and %s ends at batch %d: a newer copy of the file was exported", x.name(), st.own.Batch, x.run.plan.Name, x.checked))
	}
	return err
}

// compareOnly compares, and says what an export would do.
func (x *exporter) compareOnly(ctx context.Context) error {
	t, err := x.catalog.Load(ctx, x.feed.name)
	if errors.Is(err, catalog.ErrNoTable) {
		return x.missing(ctx)
	}
	if err != nil {
		return err
	}
	st, err := read(ctx, t, x.meta.Origin)
	if err != nil {
		return err
	}
	after := int64(0)
	if !x.run.plan.Replace {
		if err := x.agree(ctx, st); err != nil {
			return err
		}
		if st.own != nil {
			after = st.own.Batch
		}
	}
	if _, err := shapeOf(t, x.feed.columns, x.asked(), x.run.plan.Replace); err != nil {
		return err
	}
	if err := x.forecast(ctx, after); err != nil {
		return err
	}
	return x.finish(ctx, st)
}

// missing is the result for a table that does not exist.
func (x *exporter) missing(ctx context.Context) error {
	rows, err := x.feed.Count(ctx, 0, x.checked)
	if err != nil || x.feed.lazy && rows == 0 {
		return err
	}
	if x.run.plan.Do == model.LakeDoStatus && x.feed.lazy {
		return nil
	}
	x.result.Table, x.result.Batch, x.result.FileRows = x.name(), x.checked, rows
	return x.forecast(ctx, 0)
}

// forecast says what an export would add after a batch.
func (x *exporter) forecast(ctx context.Context, after int64) error {
	if !x.run.plan.DryRun || after >= x.checked {
		return nil
	}
	var err error
	if x.result.Added, err = x.feed.Count(ctx, after, x.checked); err != nil || x.result.Added == 0 {
		return err
	}
	cuts, err := x.feed.Cuts(ctx, after, x.checked, rows.MaxRows)
	x.result.Commits = int64(len(cuts))
	if x.run.plan.Replace {
		x.result.Commits = 1
	}
	return err
}
