package app

import (
	"context"
	"errors"
	"fmt"

	"datasync/export"

	"github.com/urfave/cli/v2"
)

func (p *program) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "hand the events on as a file",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "parquet", Usage: "write a Parquet file to `PATH`"},
			&cli.BoolFlag{Name: "force", Usage: "replace the file if it exists"},
		},
		Action: p.export,
	}
}

func (p *program) export(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	target := c.String("parquet")
	if target == "" {
		return usage("export needs to know what to write: give --parquet PATH")
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	var result export.Result
	from, err := p.openSource(ctx, c.String("db"), func(path string) (err error) {
		result, err = export.Parquet(ctx, path, target, c.Bool("force"))
		return err
	})
	var stopped signalled
	if errors.As(context.Cause(ctx), &stopped) && err != nil {
		return stopped
	}
	if err != nil {
		return err
	}
	from.release()
	if result.Partial {
		p.say("partial: the pull has not come to its end; run datasync pull for the rest")
	}
	p.say(fmt.Sprintf("wrote %s events, %s bytes, to %s", thousands(result.Rows), thousands(result.Bytes), target))
	return nil
}
