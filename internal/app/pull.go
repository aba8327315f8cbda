package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"datasync/ingest"
	"datasync/internal/store"
	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

var (
	// errPull marks the failure of a pull that can be resumed.
	errPull = errors.New("the pull stopped early; run the same command again to go on")
	// errMissing: the API says that it has more events than came.
	errMissing = errors.New("events are missing")
)

func (p *program) pullCommand() *cli.Command {
	return &cli.Command{
		Name: "pull", Usage: "get the events, going on where an earlier pull stopped",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "base-url", Usage: "the API's `URL` (DATASYNC_BASE_URL)", Value: p.getenv("DATASYNC_BASE_URL")},
			&cli.StringFlag{Name: "api-key-file", Usage: "`FILE` with the API key, - for stdin; else it comes from DATASYNC_API_KEY"},
			&cli.IntFlag{Name: "page-size", Usage: "events to ask for at once", Value: 100_000},
			&cli.DurationFlag{Name: "max-wait", Usage: "longest wait that the API may ask for", Value: 5 * time.Minute},
			&cli.DurationFlag{Name: "max-retry-time", Usage: "how long one request may go on failing", Value: 5 * time.Minute},
			&cli.BoolFlag{Name: "demo", Usage: "pull from the bundled mock server"},
			&cli.IntFlag{Name: "demo-events", Usage: "how many events the demo has", Value: 300_000},
		},
		Action: p.pull,
	}
}

func (p *program) pull(c *cli.Context) error {
	if c.Args().Present() {
		return usage("pull takes no argument, but got %q; options stand before it", c.Args().First())
	}
	opts := ingest.Options{PageSize: c.Int("page-size"), MaxWait: c.Duration("max-wait"), MaxRetryTime: c.Duration("max-retry-time"), Notice: p.say}
	if opts.PageSize < 1 || opts.PageSize > 1_000_000 {
		return usage("--page-size %d is not between 1 and 1000000", opts.PageSize)
	}
	origin := "demo"
	var err error
	if c.Bool("demo") {
		mock := mockserver.Contract().WithoutLatency()
		mock.Data.Events = c.Int("demo-events")
		opts.Transport, opts.Key = mockserver.New(mock).Transport(), "ds_test_demo"
		opts.BaseURL, err = url.Parse(mockserver.BaseURL)
	} else if opts.BaseURL, err = baseURL(c.String("base-url")); err == nil {
		origin = ingest.Origin(opts.BaseURL)
		opts.Key, err = p.key(c.String("api-key-file"))
	}
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	s, err := store.Open(ctx, store.Options{Path: c.String("db"), Origin: origin, ToolVersion: version, MemoryLimit: "256MB"})
	if err != nil {
		return err
	}
	opts.Store = s
	began := time.Now()
	summary, err := ingest.Run(ctx, opts)
	p.summarise(summary, time.Since(began))
	if errClose := s.Close(); errClose != nil && err == nil {
		err = errClose
	}
	var stopped signalled
	if errors.As(context.Cause(ctx), &stopped) && err != nil {
		return stopped
	}
	var file *store.Error
	if err != nil && !errors.As(err, &file) && !errors.Is(err, ingest.ErrKeyRefused) {
		return fmt.Errorf("%w: %w", errPull, err)
	}
	return err
}

func (p *program) say(text string) { _, _ = fmt.Fprintln(p.stderr, "datasync:", text) }

func (p *program) summarise(s ingest.Summary, took time.Duration) {
	p.say(fmt.Sprintf("%d events stored, %d duplicates (%d in conflict), %d rejected; pages: %d events, %d feed; 429s: %d events, %d feed; waited %s of %s; %.0f events/s; complete: %v",
		s.Stored, s.Duplicate, s.Conflict, s.Rejected, s.Pages["events"], s.Pages["feed"], s.Limited["events"], s.Limited["feed"],
		s.Waited.Round(time.Second), took.Round(time.Millisecond), float64(s.Stored)/took.Seconds(), s.Complete))
}

// key reads the API key, which never stands in an argument: ps shows those.
func (p *program) key(file string) (ingest.Secret, error) {
	text, from := p.getenv("DATASYNC_API_KEY"), "DATASYNC_API_KEY"
	var err error
	var b []byte
	switch file {
	case "":
	case "-":
		b, err = io.ReadAll(io.LimitReader(p.stdin, 4096))
		text, from = string(b), "stdin"
	default:
		b, err = os.ReadFile(file)
		text, from = string(b), file
	}
	text = strings.TrimSpace(text)
	switch {
	case err != nil:
		return "", usage("read the API key: %v", err)
	case text == "":
		return "", usage("no API key: set DATASYNC_API_KEY or give --api-key-file FILE")
	case strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~+/=") != "":
		return "", usage("the API key from %s has a character that no key has", from)
	}
	return ingest.Secret(text), nil
}

func baseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, usage("no API to pull from: give --base-url URL, set DATASYNC_BASE_URL, or try --demo")
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, usage("the base URL is not of the form http://HOST or https://HOST:PORT")
	}
	return u, nil
}

// untilSignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends;
// the second ends the process at once, which the database survives.
func untilSignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
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
