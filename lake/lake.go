package lake

import (
	"context"
	"errors"
	"fmt"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/rows"
	"datasync/lake/upload"
)

// Options are the credential and the callbacks, which are not part of a plan.
type Options struct {
	// Credential is for a REST catalog, as in catalog.Options.
	Credential string
	// Progress and Warning report while Run executes a plan. One goroutine at a time calls them.
	Progress func(model.LakeProgress)
	Warning  func(text string)
}

// Run executes a plan. model.ExitOf returns the exit code of its errors; 0 means model.ExitError.
func Run(ctx context.Context, plan model.LakePlan, opts Options) (*model.LakeResult, error) {
	switch plan.Do {
	case model.LakeDoExport, model.LakeDoStatus:
		if plan.Table == nil {
			return nil, errors.New("the plan names no table")
		}
		return withTable(ctx, plan, opts)
	case model.LakeDoUpload:
		if plan.Upload == nil {
			return nil, errors.New("the plan names nothing to upload")
		}
		report := opts.Progress
		if report == nil {
			report = func(model.LakeProgress) {}
		}
		return upload.Do(ctx, &plan, report)
	}
	return nil, fmt.Errorf("the plan asks for %q, which datasync-lake cannot do", plan.Do)
}

// run is the execution of one plan for tables.
type run struct {
	plan    model.LakePlan
	opts    Options
	catalog catalog.Catalog
	source  *rows.Source
	journal *journal
	meta    rows.Meta
	// checked is the last batch that an export takes.
	checked int64
	// result has the sums over both tables.
	result   model.LakeResult
	progress progress
	// trusted is true after CheckCommits succeeded.
	trusted bool
}

// withTable opens the file and the catalog, and exports or compares.
func withTable(ctx context.Context, plan model.LakePlan, opts Options) (_ *model.LakeResult, err error) {
	events, err := catalog.Name(plan.Table.Name)
	if err != nil {
		return nil, err
	}
	r := &run{plan: plan, opts: opts, progress: progress{report: opts.Progress}}
	staging := plan.Staging
	if plan.Do == model.LakeDoStatus || plan.DryRun || plan.Sweep {
		staging = ""
	}
	if r.source, err = rows.Open(ctx, rows.Options{Path: plan.Database, Name: plan.Name, Staging: staging, Memory: plan.Memory}); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.source.Close()) }()
	r.meta = r.source.Meta()
	if r.checked, err = r.source.Checked(ctx); err != nil {
		return nil, err
	}
	if r.journal, err = openJournal(plan, staging != ""); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.journal.close()) }()
	r.catalog, err = catalog.Open(ctx, catalog.Options{URL: plan.Table.Catalog, Endpoint: plan.Endpoint, Credential: opts.Credential, Wrote: r.journal.note})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.catalog.Close()) }()

	feeds := feedsOf(r.source, events)
	for i := range feeds {
		x := &exporter{run: r, feed: feeds[i]}
		if err := x.plan(ctx); err != nil {
			return nil, err
		}
	}
	for i := range feeds {
		x := &exporter{run: r, feed: feeds[i]}
		result, err := x.do(ctx)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			r.result.Events = result
		} else {
			r.result.Rejected = result
		}
	}
	return &r.result, nil
}

// progress has the sums over all tables and commits.
type progress struct {
	report               func(model.LakeProgress)
	total                int64
	copied, sent, stored int64
}

func (p *progress) say(step string, done int64) {
	if p.report != nil {
		p.report(model.LakeProgress{Step: step, Done: min(done, p.total), Total: p.total})
	}
}

func (p *progress) copy(rows int64)   { p.copied += rows; p.say("copy", p.copied) }
func (p *progress) upload(rows int64) { p.sent += rows; p.say("upload", p.sent) }
func (p *progress) commit(rows int64) {
	p.stored += rows
	p.copied, p.sent = p.stored, p.stored // another export may have committed these rows
	p.say("commit", p.stored)
}
