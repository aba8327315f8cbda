package app

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"datasync/internal/human"
	"datasync/internal/term"
	"datasync/mockserver"

	"github.com/urfave/cli/v2"
)

// mockOptions are the command line of mock.
type mockOptions struct {
	io     term.IO
	addr   string
	server mockserver.Options
}

func mockCommand(t term.IO, run func(context.Context, mockOptions) error) *cli.Command {
	return &cli.Command{
		Name: "mock", Usage: "serve a mock of the API, to try clients against",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "addr", Usage: "listen on `HOST:PORT`", Value: "127.0.0.1:8080"},
			&cli.IntFlag{Name: "events", Usage: "serve `N` events", Value: mockserver.DefaultEvents},
			&cli.StringFlag{Name: "shape", Usage: "the `NAME` of what the events look like: lively (days, sessions, a funnel, a bad hour) or flat", Value: mockserver.ShapeLively.String()},
			&cli.StringFlag{Name: "profile", Usage: "the `NAME` of its limits: contract, observed or plain (none)", Value: "contract"},
			&cli.Float64Flag{Name: "time-scale", Usage: "divide lifetimes and rate-limit windows by `N`, 1 to 10", Value: 1},
			&cli.BoolFlag{Name: "gzip", Usage: "compress pages for clients that accept it"},
			&cli.StringFlag{Name: "rate", Usage: "send each answer at this `SIZE` per second, such as 2MB", DefaultText: "unlimited"},
			&cli.BoolFlag{Name: "strict", Usage: "refuse requests that the live service accepts: the key's header without its cookie, stream-access without a browser's headers"},
			&cli.DurationFlag{Name: "key-life", Usage: "refuse every key this `DURATION` after the first request", DefaultText: "none"},
			&cli.DurationFlag{Name: "late-after", Usage: "serve late events too, one of 50,000, from this `DURATION` after the first request", DefaultText: "none"},
			&cli.IntFlag{Name: "expired-status", Usage: "answer an expired or invalid cursor with this `STATUS`, such as 502", Value: http.StatusBadRequest},
			&cli.IntFlag{Name: "outside-status", Usage: "answer a cursor, since or until outside the data's time with this `STATUS`, such as 418", DefaultText: "as usual"},
			&cli.IntFlag{Name: "access-limit", Usage: "answer 429 to more than `N` requests for stream-access in 60 s", DefaultText: "none"},
			&cli.Float64Flag{Name: "access-failures", Usage: "answer 502 to this `SHARE` of the requests for stream-access, 0 to 1"},
		},
		Action: func(c *cli.Context) error {
			opts, err := readMockOptions(t, c)
			if err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// runMock serves until a signal comes.
func runMock(ctx context.Context, opts mockOptions) error {
	listener, err := net.Listen("tcp", opts.addr)
	if err != nil {
		return fmt.Errorf("%w; --addr HOST:PORT chooses another address", err)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	log.SetOutput(opts.io.Stderr) // package net/http reports failures there
	server := mockserver.New(opts.server)
	opts.io.Say(fmt.Sprintf("serving %s on http://%s; %s", term.Counted(int64(server.Dataset().Total()), "event"), listener.Addr(), acceptedKeys(opts.server)))
	return server.Serve(ctx, listener)
}

func readMockOptions(t term.IO, c *cli.Context) (mockOptions, error) {
	opts := mockOptions{io: t, addr: c.String("addr")}
	profile, err := choice(c, "profile", mockserver.Profiles())
	if err != nil {
		return opts, err
	}
	server, err := mockserver.ParseProfile(profile)
	if err != nil {
		return opts, err
	}
	if err := noArguments(c); err != nil {
		return opts, err
	}
	if err := checkAddress(c.Context, opts.addr); err != nil {
		return opts, err
	}
	if err := readData(c, &server); err != nil {
		return opts, err
	}
	if c.IsSet("rate") {
		if server.Rate, err = byteSize(c, "rate", 1000); err != nil {
			return opts, err
		}
	}
	if err := readRefusals(c, &server); err != nil {
		return opts, err
	}
	server.Gzip, server.TimeScale = c.Bool("gzip"), c.Float64("time-scale")
	if scale := server.TimeScale; !(scale >= 1 && scale <= 10) { // also refuses NaN
		return opts, notBetween(c, "time-scale", 1, 10)
	}
	if err := server.Validate(); err != nil {
		return opts, usage("%v", err)
	}
	opts.server = server
	return opts, nil
}

// checkAddress refuses a text that is no address to listen on.
func checkAddress(ctx context.Context, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return usage("--addr %s: want HOST:PORT, such as 127.0.0.1:8080", human.Shown(addr))
	}
	if _, err := net.DefaultResolver.LookupPort(ctx, "tcp", port); err != nil {
		return usage("--addr %s: want a port from 0 to 65535", human.Shown(addr))
	}
	return nil
}

// maxEvents is the largest number of events of a mock server.
const maxEvents = 1_000_000_000

// eventCount reads an option that is the number of events of a mock server.
func eventCount(c *cli.Context, option string) (int, error) {
	n := c.Int(option)
	switch {
	case n < 0 || n > maxEvents:
		return 0, notBetween(c, option, 0, maxEvents)
	case n == 0:
		return mockserver.NoEvents, nil
	}
	return n, nil
}

// readData reads the options for the events that the server has.
func readData(c *cli.Context, opts *mockserver.Options) (err error) {
	if opts.Data.Events, err = eventCount(c, "events"); err != nil {
		return err
	}
	if opts.Data.Shape, err = shapeOption(c, "shape"); err != nil {
		return err
	}
	opts.RevealAfter = c.Duration("late-after")
	if opts.RevealAfter < 0 {
		return usage("--late-after %s: must not be negative; write 5m", typed(c, "late-after"))
	}
	if opts.RevealAfter > 0 {
		opts.Data = opts.Data.WithLate()
	}
	return nil
}

// shapeOption reads an option that is the shape of a mock server's events.
func shapeOption(c *cli.Context, option string) (mockserver.Shape, error) {
	name, err := choice(c, option, mockserver.Shapes())
	if err != nil {
		return 0, err
	}
	return mockserver.ParseShape(name)
}

// readRefusals reads the options for requests that the server refuses.
func readRefusals(c *cli.Context, opts *mockserver.Options) error {
	opts.Strict, opts.KeyLife = c.Bool("strict"), c.Duration("key-life")
	if opts.KeyLife < 0 {
		return usage("--key-life %s: must not be negative; write 1h", typed(c, "key-life"))
	}
	for _, option := range []string{"expired-status", "outside-status"} {
		if n := c.Int(option); c.IsSet(option) && (n < 400 || n > 599) {
			return notBetween(c, option, 400, 599)
		}
	}
	opts.Cursor.ErrorStatus = c.Int("expired-status")
	opts.Events.OutsideStatus, opts.Feed.OutsideStatus = c.Int("outside-status"), c.Int("outside-status")
	if n := c.Int("access-limit"); n > 0 {
		opts.Access.RateLimit = mockserver.RateLimit{Requests: n, Window: time.Minute, Named: mockserver.RetryAfterSeconds | mockserver.RetryAfterBody}
	} else if c.IsSet("access-limit") {
		return notMoreThanZero(c, "access-limit", "20")
	}
	share := c.Float64("access-failures")
	if !(share >= 0 && share <= 1) { // also refuses NaN
		return notBetween(c, "access-failures", 0, 1)
	}
	if share > 0 {
		opts.Random = append(opts.Random, mockserver.RandomFault{
			Endpoint: mockserver.StreamAccess, Rate: share, Fault: mockserver.Status(http.StatusBadGateway),
		})
	}
	return nil
}

// acceptedKeys says which keys the server accepts, and for how long.
func acceptedKeys(opts mockserver.Options) string {
	text := "any key is accepted"
	if opts.KeyLife > 0 {
		life := time.Duration(float64(opts.KeyLife) / opts.TimeScale)
		text += fmt.Sprintf(" until %s after the first request", life)
	}
	if opts.Strict {
		text += ", in header and cookie"
	}
	return text
}
