package app

import (
	"context"
	"io"
	"time"

	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// lakeStatus is the command line of status --iceberg.
type lakeStatus struct {
	io       term.IO
	database string
	target   lakeTarget
	json     bool
}

// lakeStatusJSON is the output of status --iceberg --json.
type lakeStatusJSON struct {
	Database string `json:"database"`
	Catalog  string `json:"catalog"`
	// UpToDate says that the tables have everything that an export would add.
	UpToDate bool                   `json:"up_to_date"`
	Events   *model.LakeTableResult `json:"events"`
	Rejected *model.LakeTableResult `json:"rejected"`
	// WaitingBatches have WaitingEvents, which no pull has checked yet.
	WaitingBatches int64 `json:"waiting_batches"`
	WaitingEvents  int64 `json:"waiting_events"`
}

// readLakeStatus reads the command line of status --iceberg.
func readLakeStatus(t term.IO, c *cli.Context) (*lakeStatus, error) {
	for _, name := range []string{"verbose", "rejected", "recover", "max-age"} {
		if c.IsSet(name) {
			return nil, usage("--%s is about the file: omit it, or omit --iceberg", withValue(c, name))
		}
	}
	s := &lakeStatus{io: t, database: c.String("db"), json: c.Bool("json")}
	var err error
	s.target, err = readLakeTarget(c)
	return s, err
}

// runLakeStatus compares an Iceberg table with the file.
func runLakeStatus(ctx context.Context, s *lakeStatus) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	lake, err := findLake(ctx, s.io)
	if err != nil {
		return orStopped(ctx, err)
	}
	plan := model.LakePlan{Do: model.LakeDoStatus, Name: s.database, Endpoint: s.target.endpoint, Table: &s.target.table}
	var result *model.LakeResult
	var standing lakeStanding
	src, err := openSource(ctx, s.io, s.database, func(path string) (err error) {
		if standing, err = readLakeStanding(ctx, path, s.database); err != nil {
			return err
		}
		plan.Database = path
		result, err = runLake(ctx, s.io, false, lake, plan)
		return err
	})
	if err != nil {
		return orStopped(ctx, err)
	}
	src.Release()
	if s.json {
		return unlessUnread(writeJSON(s.io.Stdout, lakeStatusJSON{s.database, s.target.table.Catalog, upToDate(result), result.Events, result.Rejected, standing.WaitingBatches, standing.WaitingEvents}))
	}
	_, err = io.WriteString(s.io.Stdout, s.text(result, standing, src.Copy != nil))
	return unlessUnread(err)
}

// upToDate reports whether an export would add nothing.
func upToDate(r *model.LakeResult) bool {
	for _, t := range []*model.LakeTableResult{r.Events, r.Rejected} {
		if t != nil && t.FileRows > rowsIn(t) {
			return false
		}
	}
	return true
}

// rowsIn returns the number of the file's rows in a table. A batch without new rows does not move its
// position.
func rowsIn(t *model.LakeTableResult) int64 {
	if t.Position == nil {
		return 0
	}
	return t.Position.Rows
}

// text returns the status for a person.
func (s *lakeStatus) text(r *model.LakeResult, standing lakeStanding, duringPull bool) string {
	opts := statusOptions{io: s.io}
	t := opts.statusText(time.Now())
	state := t.style.Good("up to date")
	if !upToDate(r) {
		state = t.style.Caution("behind") + ": run datasync export --iceberg " + term.Visible(s.target.table.Name) + " with the same --catalog"
	}
	t.line("table", "%s", state)
	for i, table := range []*model.LakeTableResult{r.Events, r.Rejected} {
		thing := []string{"event", "reject"}[i]
		switch {
		case table == nil:
			continue
		case table.Position == nil:
			t.line(thing+"s", "none of this file in %s; the file has %s, up to batch %s", tableName(table), term.Counted(table.FileRows, thing), term.Thousands(table.Batch))
		case table.FileRows > rowsIn(table):
			t.line(thing+"s", "%s in %s, up to batch %s; the file has %s, up to batch %s", term.Thousands(table.Position.Rows), tableName(table), term.Thousands(table.Position.Batch),
				term.Thousands(table.FileRows), term.Thousands(table.Batch))
		default:
			t.line(thing+"s", "%s in %s, up to batch %s, as in the file", term.Thousands(table.Position.Rows), tableName(table), term.Thousands(table.Position.Batch))
		}
	}
	if waiting := standing.waitingText(duringPull); waiting != "" {
		t.line("waiting", "%s", waiting)
	}
	if r.Events != nil {
		for _, other := range r.Events.Others {
			t.line("other", "%s of %s, up to batch %s", term.Counted(other.Rows, "event"), term.Visible(other.Origin), term.Thousands(other.Batch))
		}
		if r.Events.Location != "" {
			t.line("location", "%s", term.Visible(r.Events.Location))
		}
	}
	return t.String()
}
