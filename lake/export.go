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
	// failures and conflicts bound the consecutive failures before an export gives up: those with an
	// unknown outcome, and those by a concurrent commit.
	failures  = 10
	conflicts = 300
	// firstPause doubles up to lastPause after each failure.
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
	// uploads is the number of parallel uploads.
	uploads = 4
	// trimEvery is the number of commits between two deletions of old metadata files.
	trimEvery = 50
	// fresh is the greatest age of a part's files at its commit. A sweep removes uncommitted files after an
	// hour.
	fresh = 30 * time.Minute
)

// exporter brings one table up to date with one feed.
type exporter struct {
	*run
	feed feed
	// part has the uploaded files for the next commit.
	part *part
	// tried are this export's commits that may be in the table, by id.
	tried map[string]bool
	// last is the last position that this export compared with the file.
	last   *model.LakePosition
	result model.LakeTableResult
}

// name is the table's name.
func (x *exporter) name() string { return strings.Join(x.feed.name, ".") }

// asked is the plan's table; its layout options are for the table of events.
func (x *exporter) asked() model.LakeTable {
	asked := *x.run.plan.Table
	if x.feed.lazy {
		asked.PartitionBy = ""
	}
	return asked
}

// plan adds the remaining rows to the progress.
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

// do brings the table up to date, or compares it, and returns its state.
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

// load returns the table, and creates it if it is missing. After a lost response, it loads again to learn
// whether the table exists.
func (x *exporter) load(ctx context.Context) (*table.Table, error) {
	by := x.feed.by
	if asked := x.asked().PartitionBy; asked != "" {
		by = rows.Partitioning(asked)
	}
	d, err := define(x.feed.columns, x.asked(), by)
	if err != nil {
		return nil, err
	}
	for failed := 1; ; failed++ {
		t, err := x.catalog.Load(ctx, x.feed.name)
		if !errors.Is(err, catalog.ErrNoTable) {
			return t, err
		}
		t, err = x.catalog.Create(ctx, x.feed.name, d)
		// A catalog may refuse the name without a table to load, as for a view.
		again := errors.Is(err, catalog.ErrExists) || errors.Is(err, catalog.ErrService)
		if err == nil || !again || failed > failures {
			return t, err
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
	var tries attempts
	swept := false
	for {
		t, err := x.load(ctx)
		if err != nil {
			if tries.failed == 0 || ctx.Err() != nil {
				return err
			}
			return fmt.Errorf("%w; the last commit to table %s may have succeeded; the next export checks that", err, x.name())
		}
		if !swept {
			if err := x.sweepOld(ctx, t); err != nil && ctx.Err() == nil {
				x.opts.Warning("could not remove the files of killed exports: " + model.Line(err))
			}
			swept = true
		}
		sent, done, err := x.step(ctx, t)
		switch {
		case err == nil && done:
			return nil
		case err == nil:
			tries = attempts{}
		default:
			if err := tries.again(ctx, x.name(), sent, err); err != nil {
				return err
			}
		}
	}
}

// attempts are the consecutive attempts that failed: with an unknown outcome, and by a concurrent commit.
type attempts struct{ failed, beaten int }

// again waits before the next attempt after err, or returns the error that ends the export. sent means that
// err is from the commit.
func (a *attempts) again(ctx context.Context, table string, sent bool, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, catalog.ErrConflict):
		if a.beaten++; a.beaten > conflicts {
			return fmt.Errorf("table %s: other writers committed first %d times in a row: %w", table, a.beaten, err)
		}
		return pause(ctx, min(a.beaten, 4))
	case !sent || isFinal(err):
		return err
	}
	if a.failed++; a.failed > failures {
		return err
	}
	return pause(ctx, a.failed)
}

// isFinal reports whether a retry of the commit would fail in the same way.
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

// step commits the next part to a loaded table. done means that no part is left. sent means that err is
// from the commit, which may have succeeded anyway.
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

// trust checks once that concurrent commits cannot overwrite each other.
func (x *exporter) trust(ctx context.Context) error {
	if x.trusted {
		return nil
	}
	err := x.catalog.CheckCommits(ctx)
	x.trusted = err == nil
	return err
}

// settle decides whether the table has the part whose commit failed.
func (x *exporter) settle(ctx context.Context, st *state) {
	if x.part == nil || st.own == nil || st.own.Batch <= x.part.after {
		return
	}
	if x.landed(st) {
		x.committed(ctx, st.table, *st.own)
		return
	}
	// Another export has committed some or all of the batches.
	x.discard(ctx)
	x.progress.commit(0)
}

// landed reports whether the table has a commit of this export: as the newest commit, or as an ancestor.
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

// failed records the files of a failed commit. No table has its manifests, but one may have its data files.
func (x *exporter) failed(err error) {
	x.journal.keep()
	if !errors.Is(err, catalog.ErrConflict) {
		x.part.unknown = true
	}
}

// committed counts a committed part.
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
		x.opts.Warning("could not remove old snapshots of table " + x.name() + "; the next export tries again: " + model.Line(err))
	}
}
