package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/dbfile"
	"datasync/internal/store"
	"datasync/internal/term"
	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

func pullCommand(t term.IO, run func(context.Context, pullOptions) error) *cli.Command {
	return &cli.Command{
		Name: "pull", Usage: "fetch new events; resume a stopped pull",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "base-url", Usage: "the API's `URL`: scheme, host and port (DATASYNC_BASE_URL)", Value: t.Getenv("DATASYNC_BASE_URL")},
			&cli.StringFlag{Name: "api-key-file", Usage: "read the API key from `FILE`, or from stdin if it is -, instead of DATASYNC_API_KEY"},
			&cli.IntFlag{Name: "page-size", Usage: "request `N` events per page", Value: 100_000},
			&cli.DurationFlag{Name: "lookback", Usage: "look for late events this `DURATION` before the newest stored event", Value: 10 * time.Minute, DefaultText: "10m"},
			&cli.StringFlag{Name: "from", Usage: "in the first pull, skip events before `DATE`: 2026-01-31, 30d, or an RFC 3339 time"},
			&cli.BoolFlag{Name: "restart", Usage: "read all events again and store the missing ones"},
			&cli.BoolFlag{Name: "renew-cursors", Usage: "as a last resort, send an expired cursor again with a later expiry"},
			&cli.StringFlag{Name: "workers", Usage: "split a window of time into shards, and read `N` of them in parallel; auto finds how many help", Value: "auto"},
			&cli.DurationFlag{Name: "max-wait", Usage: "end with 4 if the API asks for a longer wait than this `DURATION`", Value: 5 * time.Minute, DefaultText: "5m"},
			&cli.BoolFlag{Name: "forget-waits", Usage: "ignore the waits that the API asked for in earlier runs"},
			&cli.DurationFlag{Name: "max-retry-time", Usage: "retry a failed request for this `DURATION`", Value: 5 * time.Minute, DefaultText: "5m"},
			&cli.DurationFlag{Name: "wait", Usage: "wait up to this `DURATION` for another process that has the file open", DefaultText: "10s for a datasync reader"},
			&cli.BoolFlag{Name: "dry-run", Usage: "send a few requests, store no event, and estimate what the pull would take"},
			&cli.BoolFlag{Name: "json", Usage: "with --dry-run: print JSON"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "show each request: its endpoint, status, duration, bytes and events"},
			&cli.BoolFlag{Name: "demo", Usage: "pull from the built-in mock server"},
			&cli.IntFlag{Name: "demo-events", Usage: "with --demo: serve `N` events", Value: 300_000},
			&cli.StringFlag{Name: "demo-shape", Usage: "with --demo: the `NAME` of what the events look like, lively or flat", Value: mockserver.ShapeLively.String()},
			&cli.BoolFlag{Name: "serve", Usage: "show the pull and charts of its events as a live page, until it ends"},
		}, pageFlags()...),
		Action: func(c *cli.Context) error {
			opts, err := readPullOptions(t, c)
			if err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// runPull runs a pull or, with --dry-run, a forecast.
func runPull(ctx context.Context, opts pullOptions) error {
	ctx, stop := untilQuit(ctx, opts.sayQuit, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	defer privateFiles()()
	if opts.dryRun {
		return pullError(ctx, runDryRun(ctx, opts))
	}
	result := pullResult{progress: &ingest.Progress{}, file: opts.database}
	page, err := opts.openPage(ctx, result.progress)
	if err != nil {
		return err
	}
	result.page = page
	err = pullEnding(ctx, pull(ctx, opts, &result), &result)
	page.end(ctx, err)
	return err
}

// pullEnding returns the error with which a pull ends.
func pullEnding(ctx context.Context, err error, result *pullResult) error {
	var stopped signalled
	if errors.As(context.Cause(ctx), &stopped) && err != nil && result.Unanswered != "" {
		return fmt.Errorf("%w while %s; %s", stopped, result.Unanswered, resume)
	}
	return pullError(ctx, err)
}

// trace returns the function that shows each request; nil without --verbose.
func (o *pullOptions) trace(say func(string)) func(api.Exchange) {
	if !o.verbose {
		return nil
	}
	return func(x api.Exchange) { say(requestLine(x)) }
}

// sayQuit prints the last message of a pull, after a second signal.
func (o *pullOptions) sayQuit() {
	if !o.dryRun && !o.quiet {
		o.io.SayAtOnce("quit; committed events are kept; run the same command to resume")
	}
}

// pull stores everything new and reports progress and a summary.
func pull(ctx context.Context, opts pullOptions, result *pullResult) error {
	// Most of a pull's memory is in use all the time, so that collecting it often costs little.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	err := pullInto(ctx, opts, result)
	if opts.quiet {
		return err
	}
	result.stopped = errors.As(context.Cause(ctx), new(signalled))
	if text := result.text(err, opts.io.Style(opts.io.Stderr), opts.io.ErrorWidth()); text != "" {
		_, _ = io.WriteString(opts.io.Stderr, text)
	}
	return err
}

// pullInto pulls into the file and fills the result.
func pullInto(ctx context.Context, opts pullOptions, result *pullResult) error {
	s, err := dbfile.AwaitLock(ctx, opts.database, opts.lockWait(), func() (*store.Store, error) {
		return store.Open(ctx, store.Options{
			Path: opts.database, Origin: opts.origin, ToolVersion: version, MemoryLimit: store.PullMemoryLimit, ForgetWaits: opts.forgetWaits,
			Tally: result.page.tally(),
		})
	})
	if err != nil {
		return err
	}
	if err := opts.revealLate(ctx, s); err != nil {
		return errors.Join(err, s.Close())
	}
	run := opts.ingest
	run.Store, run.Progress = s, result.progress
	stopShowing, settle := func() {}, func() {}
	if !opts.quiet {
		run.Notice, stopShowing = opts.io.Show(pullProgress(run.Progress))
		run.Trace = opts.trace(run.Notice)
		stopShowing = sync.OnceFunc(stopShowing)
		settle = onSignal(ctx, func(by signalled) {
			stopShowing()
			run.Notice(opts.stopping(by))
		})
		if n := s.Removed(); n > 0 {
			run.Notice("removed " + term.Counted(n, "event") + " of a batch that was not written completely: they are pulled again")
		}
	}
	waitReport{s.ImplausibleWaits(), s.ForgottenWaits(), opts.forgetWaits, "dropped"}.say(run.Notice)
	stopAnswering := answerReaders(ctx, opts.io, s, run.Progress, run.Notice)
	result.page.begin(ctx, s, run.Notice)
	result.Summary, err = ingest.Run(ctx, run)
	settle()
	stopAnswering()
	if errFields := result.countNewFields(ctx, s); err == nil && ctx.Err() == nil {
		err = errFields
	}
	stopShowing()
	if errClose := closeFile(ctx, s, err == nil, run.Notice); errClose != nil && err == nil {
		err = errClose
	}
	result.page.closed()
	result.Complete = result.Complete && err == nil
	return err
}

// stopping returns the message of a pull after the first signal.
func (o *pullOptions) stopping(by signalled) string {
	text := "stopping: committing what has arrived"
	if by.signal == syscall.SIGINT && (o.io.Typed() || o.io.ErrorsAreSeen()) {
		text += "; Ctrl-C again to quit now"
	}
	return text
}
