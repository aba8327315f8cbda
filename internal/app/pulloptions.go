package app

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/shard"
	"datasync/internal/human"
	"datasync/internal/model"
	"datasync/internal/store"
	"datasync/internal/term"
	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

// maxWorkers is the largest value of --workers.
const maxWorkers = 256

// pullOptions are the command line of pull.
type pullOptions struct {
	io       term.IO
	database string
	// origin names the API whose events the file holds.
	origin      string
	forgetWaits bool
	wait        time.Duration // for other processes that have the file open; 0 if not given
	dryRun      bool
	json        bool // of a dry run
	quiet       bool
	verbose     bool
	demo        *mockserver.Dataset // nil without --demo
	page        *pageOptions        // nil without --serve
	ingest      ingest.Options
}

// readPullOptions reads the command line and the key.
func readPullOptions(t term.IO, c *cli.Context) (pullOptions, error) {
	if c.Bool("quiet") {
		t.Stderr = io.Discard // the error that ends the program is not written here
	}
	opts := pullOptions{
		io: t, database: c.String("db"), forgetWaits: c.Bool("forget-waits"), dryRun: c.Bool("dry-run"), json: c.Bool("json"), quiet: c.Bool("quiet"), verbose: c.Bool("verbose"),
		ingest: ingest.Options{
			PageSize: c.Int("page-size"), Lookback: c.Duration("lookback"), Restart: c.Bool("restart"), RenewCursors: c.Bool("renew-cursors"),
			MaxWait: c.Duration("max-wait"), MaxRetryTime: c.Duration("max-retry-time"), Notice: t.Say,
		},
	}
	if err := noArguments(c); err != nil {
		return opts, err
	}
	if opts.quiet && opts.verbose {
		return opts, usage("--quiet and --verbose contradict each other: give one of them")
	}
	if opts.json && !opts.dryRun {
		return opts, usage("--json is for --dry-run: use datasync status --json after a pull")
	}
	for _, option := range []string{"demo-events", "demo-shape"} {
		if err := needs(c, option, "demo"); err != nil {
			return opts, err
		}
	}
	if err := needsPage(c); err != nil {
		return opts, err
	}
	if c.Bool("serve") {
		page, err := readPageOptions(c)
		if err != nil {
			return opts, err
		}
		page.quiet = opts.quiet
		opts.page = &page
	}
	protectKey()
	if err := checkLimits(c, &opts.ingest); err != nil {
		return opts, err
	}
	if opts.wait = c.Duration("wait"); c.IsSet("wait") && opts.wait <= 0 {
		return opts, notMoreThanZero(c, "wait", "10m")
	}
	var err error
	if opts.ingest.Workers, err = readWorkers(c); err != nil {
		return opts, err
	}
	if opts.ingest.From, err = instantOption(c, "from"); err != nil {
		return opts, err
	}
	if from := opts.ingest.From; from.Valid && (from.V < 0 || from.V > model.InstantOf(time.Now())) {
		return opts, usage("--from %s is not between 1970 and now; write 2026-01-31 or 7d", typed(c, "from"))
	}
	if c.Bool("demo") {
		return opts, opts.useDemo(c)
	}
	return opts, opts.useAPI(c)
}

func checkLimits(c *cli.Context, opts *ingest.Options) error {
	switch {
	case opts.PageSize < 1 || opts.PageSize > 500_000:
		return notBetween(c, "page-size", 1, 500_000)
	case opts.Lookback < 0 || opts.Lookback > 100*365*24*time.Hour:
		return usage("--lookback %s is not between 0 and a hundred years; write 10m", typed(c, "lookback"))
	case opts.MaxWait <= 0:
		return notMoreThanZero(c, "max-wait", "5m")
	case opts.MaxRetryTime <= 0:
		return notMoreThanZero(c, "max-retry-time", "5m")
	}
	return nil
}

// useDemo has the pull ask a mock server within this process.
func (o *pullOptions) useDemo(c *cli.Context) (err error) {
	if c.IsSet("base-url") {
		return usage("--demo pulls from the built-in server: omit --base-url")
	}
	if c.IsSet("api-key-file") {
		return usage("--demo pulls from the built-in server, which needs no key: omit --api-key-file")
	}
	mock := mockserver.Contract().WithoutLatency()
	events, err := eventCount(c, "demo-events")
	if err != nil {
		return err
	}
	shape, err := shapeOption(c, "demo-shape")
	if err != nil {
		return err
	}
	mock.Data = mockserver.DemoData(shape, events)
	server := mockserver.New(mock)
	o.demo = server.Dataset()
	o.origin, o.ingest.Transport, o.ingest.Key = "demo", server.Transport(), "ds_test_demo"
	o.ingest.BaseURL, err = url.Parse(mockserver.BaseURL)
	return err
}

// revealLate has the demo serve its late events to a file that an earlier pull completed.
func (o *pullOptions) revealLate(ctx context.Context, s *store.Store) error {
	if o.demo == nil {
		return nil
	}
	status, _, err := s.Status(ctx, 1)
	if err == nil && status.CompletedAt != nil {
		o.demo.Reveal()
	}
	return err
}

// useAPI has the pull ask the API at --base-url with the user's key.
func (o *pullOptions) useAPI(c *cli.Context) (err error) {
	base, err := parseBaseURL(c.String("base-url"))
	if err != nil {
		return err
	}
	if o.ingest.Key, err = readKey(o.io, c.String("api-key-file")); err != nil {
		return err
	}
	if host := base.Hostname(); base.Scheme == "http" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		o.io.SayWarning("the base URL is plain http: anyone on the network path can read the key")
	}
	o.origin, o.ingest.BaseURL = api.Origin(base), base
	return nil
}

// readWorkers reads the option of that name.
func readWorkers(c *cli.Context) (int, error) {
	text := c.String("workers")
	if strings.EqualFold(text, "auto") {
		return shard.Auto, nil
	}
	n, err := human.Count(text)
	if err != nil || n < 1 || n > maxWorkers {
		return 0, usage("--workers %s is neither auto nor a number between 1 and %d", typed(c, "workers"), maxWorkers)
	}
	return int(n), nil
}
