package app

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/store"
	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

// errPull marks the failure of a pull that can be resumed.
var errPull = errors.New("run the same command again to go on")

func (p *program) pullCommand() *cli.Command {
	return &cli.Command{
		Name: "pull", Usage: "get the events, going on where an earlier pull stopped",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "base-url", Usage: "the API's `URL` (DATASYNC_BASE_URL)", Value: p.getenv("DATASYNC_BASE_URL")},
			&cli.StringFlag{Name: "api-key-file", Usage: "`FILE` with the API key, - for stdin; else it comes from DATASYNC_API_KEY"},
			&cli.IntFlag{Name: "page-size", Usage: "events to ask for at once", Value: 100_000},
			&cli.DurationFlag{Name: "lookback", Usage: "how far below the newest stored event to look for late ones", Value: 10 * time.Minute},
			&cli.StringFlag{Name: "from", Usage: "limit the first pull to events from `DATE` on: 2026-01-31, or an RFC 3339 time"},
			&cli.BoolFlag{Name: "restart", Usage: "walk everything again, skipping what is stored"},
			&cli.BoolFlag{Name: "renew-cursors", Usage: "send a cursor that has died once more with a later end, where nothing better works"},
			&cli.StringFlag{Name: "workers", Usage: "windows of time to walk side by side: a `NUMBER`, or auto for as many as are worth it", Value: "auto"},
			&cli.DurationFlag{Name: "max-wait", Usage: "longest wait that the API may ask for", Value: 5 * time.Minute},
			&cli.BoolFlag{Name: "forget-waits", Usage: "drop the waits that endpoints asked for in earlier runs, and ask at once"},
			&cli.DurationFlag{Name: "max-retry-time", Usage: "how long one request may go on failing", Value: 5 * time.Minute},
			&cli.BoolFlag{Name: "dry-run", Usage: "ask the API a few times, store no event, and say what the pull would take"},
			&cli.BoolFlag{Name: "json", Usage: "with --dry-run: as JSON"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress and no summary"},
			&cli.BoolFlag{Name: "demo", Usage: "pull from the bundled mock server"},
			&cli.IntFlag{Name: "demo-events", Usage: "how many events the demo has", Value: 300_000},
		},
		Action: p.pull,
	}
}

func (p *program) pull(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if c.Bool("json") && !c.Bool("dry-run") {
		return usage("--json is for --dry-run: what a pull has done, datasync status --json says")
	}
	keepIn()
	opts, origin, err := p.pullOptions(c)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return p.dryRun(c, opts, origin)
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	// Most of a pull's memory is in use all the time: little of it becomes free to collect.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	// Whatever the database writes beside itself is nobody else's to read.
	defer syscall.Umask(syscall.Umask(0o077))
	s, err := store.Open(ctx, store.Options{Path: c.String("db"), Origin: origin, ToolVersion: version, MemoryLimit: store.PullMemoryLimit,
		ForgetWaits: c.Bool("forget-waits")})
	if err != nil {
		return pullError(ctx, err)
	}
	opts.Store, opts.Progress = s, &ingest.Progress{}
	stopShowing := func() {}
	if !c.Bool("quiet") {
		opts.Notice, stopShowing = p.show(opts.Progress)
		if n := s.Removed(); n > 0 {
			opts.Notice(counted(n, "event") + " of a batch that was not written to its end: removed, and asked for again")
		}
	}
	tellWaits(opts.Notice, s.ImplausibleWaits(), s.ForgottenWaits(), c.Bool("forget-waits"), false)
	stopAnswering := p.answer(ctx, s, opts.Progress, opts.Notice)
	summary, err := ingest.Run(ctx, opts)
	stopAnswering()
	stopShowing()
	if errClose := s.Close(); errClose != nil && err == nil {
		err = errClose
		summary.Complete = false
	}
	if !c.Bool("quiet") && !errors.Is(err, ingest.ErrFrom) {
		p.summarise(summary)
	}
	return pullError(ctx, err)
}

// pullError says why a pull ended early in the terms of exit codes.
func pullError(ctx context.Context, err error) error {
	var stopped signalled
	var file *model.FileError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &file) && file.Kind != nil:
		return err
	case errors.As(context.Cause(ctx), &stopped):
		return fmt.Errorf("%w; run the same command again to go on", stopped)
	case errors.Is(err, api.ErrKeyRefused):
		return fmt.Errorf("%w; check it, and whether it has expired: a key lives for three hours at most; then run the same command again to go on", err)
	case errors.Is(err, walk.ErrMissing), errors.Is(err, ingest.ErrUnusable), file != nil:
		return err
	case errors.Is(err, ingest.ErrFrom):
		return usage("%w; give --restart to walk further down", err)
	}
	if wrongAddress(err) {
		return fmt.Errorf("%w; check --base-url (DATASYNC_BASE_URL), or %w", err, errPull)
	}
	return fmt.Errorf("%w; %w", err, errPull)
}

// wrongAddress reports whether err is what comes of a URL at which there is no such API.
func wrongAddress(err error) bool {
	var answer *api.APIError
	var host *net.DNSError
	var dial *net.OpError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		return false // it is the proxy's
	case errors.As(err, &answer) && answer.Status == http.StatusNotFound, errors.As(err, &host) && host.IsNotFound, errors.As(err, &notTLS):
		return true
	}
	return errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, api.ErrRedirected) || errors.Is(err, api.ErrNoAPI)
}

// pullOptions reads the command line; origin is whose events the file will hold.
func (p *program) pullOptions(c *cli.Context) (opts ingest.Options, origin string, err error) {
	opts = ingest.Options{
		PageSize: c.Int("page-size"), Lookback: c.Duration("lookback"), Restart: c.Bool("restart"), RenewCursors: c.Bool("renew-cursors"),
		MaxWait: c.Duration("max-wait"), MaxRetryTime: c.Duration("max-retry-time"), Notice: p.say,
	}
	switch {
	case opts.PageSize < 1 || opts.PageSize > 500_000:
		return opts, "", usage("--page-size %d is not between 1 and 500000", opts.PageSize)
	case opts.Lookback < 0 || opts.Lookback > 100*365*24*time.Hour:
		return opts, "", usage("--lookback %s is not between 0s and a hundred years", opts.Lookback)
	case opts.MaxWait <= 0:
		return opts, "", usage("--max-wait %s is not more than 0s", opts.MaxWait)
	case opts.MaxRetryTime <= 0:
		return opts, "", usage("--max-retry-time %s is not more than 0s", opts.MaxRetryTime)
	}
	if opts.Workers, err = workers(c.String("workers")); err != nil {
		return opts, "", err
	}
	if opts.From, err = instantOption(c, "from"); err != nil {
		return opts, "", err
	}
	if from := opts.From; from.Valid && (from.V < 0 || from.V > model.InstantOf(time.Now())) {
		return opts, "", usage("--from %s does not lie between 1970 and now", c.String("from"))
	}
	if c.Bool("demo") {
		if c.IsSet("base-url") {
			return opts, "", usage("--demo pulls from the bundled server: leave --base-url away")
		}
		mock := mockserver.Contract().WithoutLatency()
		if mock.Data.Events, err = eventCount(c, "demo-events"); err != nil {
			return opts, "", err
		}
		opts.Transport, opts.Key = mockserver.New(mock).Transport(), "ds_test_demo"
		opts.BaseURL, err = url.Parse(mockserver.BaseURL)
		return opts, "demo", err
	}
	if opts.BaseURL, err = baseURL(c.String("base-url")); err != nil {
		return opts, "", err
	}
	if opts.Key, err = p.key(c.String("api-key-file")); err != nil {
		return opts, "", err
	}
	if host := opts.BaseURL.Hostname(); opts.BaseURL.Scheme == "http" && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		p.say("the API is asked over plain http: whoever is on the way can read the key")
	}
	return opts, api.Origin(opts.BaseURL), nil
}

// mostWorkers is how many windows can be walked side by side.
const mostWorkers = 256

func workers(text string) (int, error) {
	if text == "auto" {
		return shard.Auto, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostWorkers {
		return 0, usage("--workers %q is neither auto nor a number between 1 and %d", text, mostWorkers)
	}
	return n, nil
}

// instantOption reads an option that is an instant: a day, which begins in UTC, or a moment.
func instantOption(c *cli.Context, name string) (sql.Null[model.Instant], error) {
	if !c.IsSet(name) {
		return sql.Null[model.Instant]{}, nil
	}
	text := c.String(name)
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return sql.Null[model.Instant]{V: model.InstantOf(t), Valid: true}, nil
		}
	}
	return sql.Null[model.Instant]{}, usage("--%s %q is neither a date such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z", name, text)
}

func baseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, usage("no API to pull from: give --base-url URL, set DATASYNC_BASE_URL, or try --demo")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, usage("the base URL is not of the form http://HOST or https://HOST:PORT")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, usage("the base URL has the port %s: ports are 1 to 65535", port)
		}
	}
	u.Host = strings.ToLower(u.Host) // one API has one origin
	return u, nil
}

// untilSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends;
// the second ends the process at once, which the database survives.
func untilSignal(ctx context.Context) (context.Context, func()) {
	return until(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}

// orStopped returns what ended something: a signal, --timeout, or err, which may be nil.
func orStopped(ctx context.Context, err error) error {
	var stopped signalled
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return nil
	case errors.As(cause, &stopped):
		return stopped
	case errors.Is(cause, errTimeout) && !errors.Is(err, live.ErrSilent):
		return cause
	}
	return err
}

// until is untilSignal for these signals.
func until(ctx context.Context, of ...os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, of...)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case s := <-signals:
				code := 143
				if s == os.Interrupt {
					code = 130
				}
				if n > 0 {
					os.Exit(code)
				}
				cancel(signalled{code})
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); close(done); cancel(nil) }
}
