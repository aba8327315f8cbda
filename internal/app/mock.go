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
			&cli.BoolFlag{Name: "gzip", Usage: "compress pages for clients that accept it"},
			&cli.StringFlag{Name: "rate", Usage: "send each answer at this `SIZE` a second, such as 2MB", DefaultText: "unbounded"},
		},
		Action: p.mock,
	}
}

// maxEvents is how many events the mock server may have.
const maxEvents = 1_000_000_000

// eventCount reads an option that says how many events a mock server has.
func eventCount(c *cli.Context, option string) (int, error) {
	switch n := c.Int(option); {
	case n < 0 || n > maxEvents:
		return 0, usage("--%s %d is not between 0 and %d", option, n, maxEvents)
	case n == 0:
		return mockserver.NoEvents, nil
	default:
		return n, nil
	}
}

func (p *program) mock(c *cli.Context) error {
	opts, err := mockserver.ParseProfile(c.String("profile"))
	if err != nil {
		return usage("%v", err)
	}
	if err := noArguments(c); err != nil {
		return err
	}
	if opts.Data.Events, err = eventCount(c, "events"); err != nil {
		return err
	}
	if c.IsSet("rate") {
		if opts.Rate, err = byteSize(c, "rate", 1000); err != nil {
			return err
		}
	}
	opts.Gzip, opts.TimeScale = c.Bool("gzip"), c.Float64("time-scale")
	if opts.TimeScale == 0 {
		return usage("time scale 0: want 1 to 10")
	}
	if err := opts.Validate(); err != nil {
		return usage("%v", err)
	}
	listener, err := net.Listen("tcp", c.String("addr"))
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	p.say(fmt.Sprintf("serving %d events on http://%s; any key is accepted", max(0, opts.Data.Events), listener.Addr()))
	return mockserver.New(opts).Serve(ctx, listener)
}
