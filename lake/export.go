package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
	"datasync/lake/rows"

	"github.com/apache/iceberg-go/table"
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
	// tried are the commits of this export that may be in the table, by their ids.
	tried map[string]bool
	// last is the position whose rows were compared with the file.
	last   *model.LakePosition
	result model.LakeTableResult
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
	x.tried = map[string]bool{}
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
			if err := x.sweepOld(ctx, t); err != nil && ctx.Err() == nil {
				x.opts.Warning("the files of exports that were killed stay: " + model.Line(err))
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
	x.tried[next.Commit] = true
	if time.Since(x.part.sent) > fresh {
		if err := x.stillThere(ctx, st); err != nil {
			return false, false, err
		}
	}
	committed, err := commit(ctx, st, s, x.part.files, next)
	if err != nil {
		x.failed(err)
		return true, false, err
	}
	x.committed(ctx, committed, next)
	return true, false, nil
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
	if x.landed(st) {
		x.committed(ctx, st.table, *st.own)
		return
	}
	// Another export has the batches, or some of them.
	x.discard(ctx)
	x.progress.commit(0)
}

// landed tells whether a commit of this export is in the table: as the last one, or before commits of
// others.
func (x *exporter) landed(st *state) bool {
	if st.own != nil && x.tried[st.own.Commit] {
		return true
	}
	for _, s := range st.table.Metadata().Snapshots() {
		if s.Summary == nil {
			continue
		}
		value, ok := s.Summary.Properties[position.Key(x.meta.Origin)]
		if !ok {
			continue
		}
		at, err := position.Read(map[string]string{position.Key(x.meta.Origin): value})
		if err == nil && x.tried[at[0].Commit] {
			return true
		}
	}
	return false
}

// failed notes what a commit that failed leaves: its manifests are in no table, and its data files may be.
func (x *exporter) failed(err error) {
	x.journal.keep()
	if !errors.Is(err, catalog.ErrConflict) {
		x.part.unknown = true
	}
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
	x.part, x.last, x.tried = nil, &at, map[string]bool{}
	err := expire(ctx, t)
	if err == nil && x.result.Commits%trimEvery == 1 {
		_, err = catalog.Trim(ctx, x.catalog, x.feed.name)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, catalog.ErrConflict) {
		x.opts.Warning("old snapshots of table " + x.name() + " stay until the next export: " + model.Line(err))
	}
}
