package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/lakerun"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/term"
)

// findLake finds the program datasync-lake of this build.
func findLake(ctx context.Context, t term.IO) (lakerun.Program, error) {
	self, err := os.Executable()
	if err != nil {
		return lakerun.Program{}, err
	}
	own := lakerun.Build{Version: version}
	build, _ := debug.ReadBuildInfo()
	if commit := readVersion(build, zoneInfo{}).Commit; commit != nil {
		own.Commit = *commit
	}
	return lakerun.Find(ctx, self, t.Getenv("PATH"), own)
}

// runLake has datasync-lake execute a plan, and shows its progress.
func runLake(ctx context.Context, t term.IO, quiet bool, lake lakerun.Program, plan model.LakePlan) (*model.LakeResult, error) {
	plan.Version = version
	watch := lakerun.Watch{Warning: func(text string) { t.SayWarning("warning: " + term.Visible(text)) }}
	if !quiet {
		steps := &lakeSteps{shares: exportShares}
		if plan.Do == model.LakeDoUpload {
			steps.shares = map[string]int64{"upload": 100}
		}
		say, stop := t.Show(percentProgress(steps.percent))
		defer stop()
		watch.Progress, watch.Warning = steps.follow, func(text string) { say("warning: " + term.Visible(text)) }
	}
	return lake.Run(ctx, plan, watch)
}

// lakeSteps is the progress of datasync-lake over all its steps.
type lakeSteps struct {
	// shares is each step's share of the time, in percent.
	shares   map[string]int64
	permille atomic.Int64
}

// exportShares are the measured shares of an export. Sorting and compressing take most of its time.
var exportShares = map[string]int64{"copy": 80, "upload": 15, "commit": 5}

// follow records the next progress. Each part of a large export has all steps.
func (s *lakeSteps) follow(p model.LakeProgress) {
	if p.Total <= 0 {
		return
	}
	var before int64
	for _, step := range []string{"copy", "upload", "commit"} {
		if step == p.Step {
			break
		}
		before += s.shares[step]
	}
	at := (before*10*p.Done + s.shares[p.Step]*10*p.Done) / p.Total
	s.permille.Store(max(s.permille.Load(), at))
}

// percent returns the progress of all steps together.
func (s *lakeSteps) percent() float64 { return float64(s.permille.Load()) / 10 }

// stagingFor creates the staging folder of an export: hidden, for this user alone, and beside the database.
// It first removes the folders of killed exports. The caller removes it with Abort.
func stagingFor(database string) (*outfile.Folder, error) {
	path, exists, err := dbfile.Resolve(database)
	if err != nil {
		return nil, err
	}
	if !exists {
		return nil, dbfile.Missing(database)
	}
	folder := filepath.Dir(path)
	if err := dbfile.CheckStaging(database, folder, leastStaging); err != nil {
		return nil, err
	}
	staging, err := outfile.Scratch(folder)
	return staging, dbfile.Translate(path, err)
}

// leastStaging is the disk space in bytes that an export needs to begin. datasync-lake later checks the
// space for the rows.
const leastStaging = 64 << 20

// lakeStanding says which batches of a file an export takes.
type lakeStanding struct {
	// Batch is the last batch, Checked the last one that a pull has checked.
	Batch, Checked int64
	// WaitingBatches and WaitingEvents are above Checked.
	WaitingBatches int64
	WaitingEvents  int64
}

// readLakeStanding reads the file at path, and closes it. It fails with dbfile.ErrOlder for an older
// schema.
func readLakeStanding(ctx context.Context, path, name string) (s lakeStanding, err error) {
	db, err := inspect.OpenReadOnly(ctx, path, "UTC")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := inspect.ReadCurrentMeta(ctx, db, name); err != nil {
		return s, err
	}
	err = scanLakeStanding(ctx, db, &s)
	return s, dbfile.Translate(name, err)
}

func scanLakeStanding(ctx context.Context, db *sql.DB, s *lakeStanding) error {
	return db.QueryRowContext(ctx, `WITH checked AS (SELECT coalesce(max(value::BIGINT), 0) AS upto FROM meta WHERE key = '`+inspect.CheckedKey+`')
		SELECT coalesce(max(batch), 0), any_value(upto), count(DISTINCT batch) FILTER (batch > upto), (SELECT count(*) FROM events WHERE batch > (SELECT upto FROM checked))
		FROM checked LEFT JOIN page_log ON true`).Scan(&s.Batch, &s.Checked, &s.WaitingBatches, &s.WaitingEvents)
}

// waitingText says what an Iceberg table cannot have yet, or "". duringPull says that a pull runs.
func (s lakeStanding) waitingText(duringPull bool) string {
	if s.WaitingBatches == 0 {
		return ""
	}
	next := "run datasync pull, which checks them at its end, then export again"
	if duringPull {
		next = "the pull that runs checks them at its end; export again then"
	}
	verb := "wait"
	if s.WaitingBatches == 1 {
		verb = "waits"
	}
	return fmt.Sprintf("%s (%s) %s for a check for second copies: %s", counted(s.WaitingBatches, "batch", "batches"), term.Counted(s.WaitingEvents, "event"), verb, next)
}

// tableName is the name of a table in a message.
func tableName(r *model.LakeTableResult) string { return term.Visible(r.Table) }

// secondsSince returns a duration in seconds, rounded to milliseconds.
func secondsSince(began time.Time) float64 {
	return time.Since(began).Round(time.Millisecond).Seconds()
}

// continues adds a line to the error of a signal that says how to continue.
func continues(ctx context.Context, err error, what string) error {
	err = orStopped(ctx, err)
	if errors.As(err, new(signalled)) {
		return reworded{err, strings.TrimSpace(err.Error()) + ": " + what}
	}
	return err
}
