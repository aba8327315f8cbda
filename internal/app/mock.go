package app

import (
	"fmt"
	"net"

	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

func (p *program) mockCommand() *cli.Command {
	return &cli.Command{
		Name: "mock", Usage: "serve a stand-in for the API, for clients of your own",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "addr", Usage: "`HOST:PORT` to listen on", Value: "127.0.0.1:8080"},
			&cli.IntFlag{Name: "events", Usage: "how many events it has", Value: mockserver.DefaultEvents},
			&cli.StringFlag{Name: "profile", Usage: "contract, observed or plain (no limits)", Value: "contract"},
			&cli.Float64Flag{Name: "time-scale", Usage: "divides lifetimes and windows, 1 to 10", Value: 1},
		},
		Action: p.mock,
	}
}

func (p *program) mock(c *cli.Context) error {
	opts, err := mockserver.ParseProfile(c.String("profile"))
	if err != nil {
		return usage("%v", err)
	}
	opts.Data.Events, opts.TimeScale = c.Int("events"), c.Float64("time-scale")
	if err := opts.Validate(); err != nil {
		return usage("%v", err)
	}
	listener, err := net.Listen("tcp", c.String("addr"))
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	p.say(fmt.Sprintf("serving %d events on http://%s", opts.Data.Events, listener.Addr()))
	return mockserver.New(opts).Serve(ctx, listener)
}
