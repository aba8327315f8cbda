package app

import (
	"context"
	"errors"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/reader"
	"datasync/internal/report/figures"
	"datasync/internal/term"
	"datasync/internal/web"

	"github.com/urfave/cli/v2"
)

// serveOptions are the command line of serve.
type serveOptions struct {
	io       term.IO
	database string
	page     pageOptions
}

func serveCommand(t term.IO, run func(context.Context, serveOptions) error) *cli.Command {
	return &cli.Command{
		Name: "serve", Usage: "show charts of the file as a live page, until Ctrl-C",
		Flags: pageFlags(),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			opts := serveOptions{io: t, database: c.String("db")}
			var err error
			if opts.page, err = readPageOptions(c); err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// runServe serves the page until a signal comes.
func runServe(ctx context.Context, opts serveOptions) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	defer privateFiles()()
	source := fileSource{opts.database}
	// A file that cannot be read is an error here, not on the page.
	if err := source.Use(ctx, func(ctx context.Context, path string) error {
		db, err := inspect.OpenReadOnly(ctx, path, opts.page.timezone)
		if err != nil {
			return err
		}
		return db.Close()
	}); err != nil {
		return orStopped(ctx, err)
	}
	p, err := listenForPage(opts.io, opts.page)
	if err != nil {
		return err
	}
	defer p.close()
	server := p.options(opts.database)
	server.Source = source
	p.Server = web.New(server)
	if err := p.tell(ctx, opts.database, "until Ctrl-C"); err != nil {
		return err
	}
	return p.Serve(ctx)
}

// fileSource is the file of serve, or what the pull lends that has it. It implements web.Source.
type fileSource struct{ database string }

func (f fileSource) Use(ctx context.Context, do func(context.Context, string) error) error {
	return web.UseFile(ctx, f.database, do)
}

// Standing asks the pull that has the file, if one has.
func (f fileSource) Standing(ctx context.Context) (web.Standing, error) {
	answer := liveStatus{Batch: -1}
	asked, err := reader.Status(ctx, f.database, &answer, func() error { return nil })
	if err != nil || !asked {
		return web.Standing{}, err
	}
	standing := standingOf(answer.Pull.Standing, time.Now())
	standing.Batch, standing.Events = answer.Batch, answer.Status.Events
	return standing, nil
}

// errNoWindows: only a pull of this process has windows to show.
var errNoWindows = errors.New("no pull of this process")

func (fileSource) Windows(context.Context) ([]figures.Window, error) { return nil, errNoWindows }

func (f fileSource) Edition() string { return web.EditionOf(f.database) }
