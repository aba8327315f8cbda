package app

import (
	"context"
	"fmt"
	"time"

	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/term"
)

// lakeExportJSON is the output of export --iceberg --json.
type lakeExportJSON struct {
	Database string `json:"database"`
	Catalog  string `json:"catalog"`
	DryRun   bool   `json:"dry_run"`
	model.LakeResult
	// WaitingBatches have WaitingEvents, which no pull has checked yet.
	WaitingBatches int64   `json:"waiting_batches"`
	WaitingEvents  int64   `json:"waiting_events"`
	Took           float64 `json:"took_s"`
}

// runLakeExport brings an Iceberg table up to date with the file.
func runLakeExport(ctx context.Context, x *lakeExport) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	defer privateFiles()()
	began := time.Now()
	lake, err := findLake(ctx, x.io)
	if err != nil {
		return orStopped(ctx, err)
	}
	plan := x.plan()
	if !x.dryRun {
		staging, err := stagingFor(x.database)
		if err != nil {
			return err
		}
		defer func() { _ = staging.Abort() }()
		plan.Staging = stagingPath(staging)
	}
	var result *model.LakeResult
	var standing lakeStanding
	src, err := openSource(ctx, x.io, x.database, func(path string) (err error) {
		if standing, err = readLakeStanding(ctx, path, x.database); err != nil {
			return err
		}
		plan.Database = path
		result, err = runLake(ctx, x.io, x.quiet, lake, plan)
		return err
	})
	if err != nil {
		return continues(ctx, err, "what was committed stays, and the same command continues")
	}
	src.Release()
	if waiting := standing.waitingText(src.Copy != nil); waiting != "" && !x.sweep {
		x.io.SayWarning(waiting)
	}
	if x.json {
		return unlessUnread(writeJSON(x.io.Stdout, lakeExportJSON{x.database, x.target.table.Catalog, x.dryRun, *result, standing.WaitingBatches, standing.WaitingEvents, secondsSince(began)}))
	}
	if !x.quiet {
		for _, line := range x.text(result, time.Since(began)) {
			x.io.Say(line)
		}
	}
	return nil
}

// plan is the plan for datasync-lake, without its paths.
func (x *lakeExport) plan() model.LakePlan {
	return model.LakePlan{
		Do: model.LakeDoExport, Name: x.database, Memory: x.memory, Endpoint: x.target.endpoint, Table: &x.target.table,
		DryRun: x.dryRun, Replace: x.replace, Sweep: x.sweep,
	}
}

// text describes the result of an export, one fact a line.
func (x *lakeExport) text(r *model.LakeResult, took time.Duration) (lines []string) {
	swept := term.Counted(r.Removed, "file") + " of exports that were killed"
	switch {
	case x.sweep && r.Removed == 0:
		return []string{"nothing to remove: no export that was killed an hour ago or earlier has left a file"}
	case x.sweep:
		return []string{"removed " + swept}
	}
	for i, t := range []*model.LakeTableResult{r.Events, r.Rejected} {
		thing := []string{"event", "reject"}[i]
		switch {
		case t == nil:
		case t.Added > 0 || t.Commits > 0:
			lines = append(lines, x.addedText(t, thing))
		case i == 0 && t.Batch == 0:
			lines = append(lines, "nothing to add to "+tableName(t)+" yet")
		case i == 0:
			lines = append(lines, fmt.Sprintf("nothing new: %s has %s, up to batch %s", tableName(t), term.Counted(t.FileRows, thing), term.Thousands(t.Batch)))
		}
	}
	if len(lines) == 0 {
		lines = []string{"nothing new"}
	}
	if !x.dryRun && r.Files > 0 {
		last := &lines[len(lines)-1]
		*last += fmt.Sprintf("; %s, %s, in %s", term.Counted(r.Files, "file"), term.Bytes(r.Bytes), term.Duration(took))
	}
	if r.Removed > 0 {
		lines = append(lines, "removed "+swept)
	}
	return lines
}

// addedText says how many rows an export added to a table, or would add.
func (x *lakeExport) addedText(t *model.LakeTableResult, thing string) string {
	rows, commits := term.Counted(t.Added, thing), term.Counted(t.Commits, "commit")
	switch {
	case x.dryRun && x.replace:
		return fmt.Sprintf("dry run: would replace what %s has of this API by %s, in %s", tableName(t), rows, commits)
	case x.dryRun:
		return fmt.Sprintf("dry run: would add %s to %s, in %s", rows, tableName(t), commits)
	case x.replace:
		return fmt.Sprintf("replaced what %s had of this API by %s, in %s", tableName(t), rows, commits)
	}
	return fmt.Sprintf("added %s to %s, in %s", rows, tableName(t), commits)
}

// stagingPath is a staging folder's path for another process.
func stagingPath(f *outfile.Folder) string { return f.Dir().Name() }
