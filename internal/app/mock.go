package app

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

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
			&cli.BoolFlag{Name: "strict", Usage: "refuse what the live service lets pass: a header without the cookie, stream-access without a browser's headers"},
			&cli.DurationFlag{Name: "key-life", Usage: "refuse every key so long after the first request", DefaultText: "none"},
			&cli.IntFlag{Name: "expired-status", Usage: "answer an expired or invalid cursor by this `STATUS`, such as 502", Value: http.StatusBadRequest},
			&cli.IntFlag{Name: "outside-status", Usage: "answer a cursor, since or until outside the data's time by this `STATUS`, such as 418", DefaultText: "as usual"},
			&cli.IntFlag{Name: "access-limit", Usage: "answer 429 to more requests for stream-access in 60 s", DefaultText: "none"},
			&cli.Float64Flag{Name: "access-failures", Usage: "answer 502 to this `SHARE` of the requests for stream-access, 0 to 1"},
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
	if err := mockRefusals(c, &opts); err != nil {
		return err
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
	log.SetOutput(p.stderr) // package net/http tells there of what fails
	p.say(fmt.Sprintf("serving %d events on http://%s; %s", max(0, opts.Data.Events), listener.Addr(), keysAccepted(opts)))
	return mockserver.New(opts).Serve(ctx, listener)
}

// mockRefusals reads the options that say what the server refuses.
func mockRefusals(c *cli.Context, opts *mockserver.Options) error {
	opts.Strict, opts.KeyLife = c.Bool("strict"), c.Duration("key-life")
	if opts.KeyLife < 0 {
		return usage("--key-life %s is below zero", opts.KeyLife)
	}
	for _, option := range []string{"expired-status", "outside-status"} {
		if n := c.Int(option); c.IsSet(option) && (n < 400 || n > 599) {
			return usage("--%s %d is not between 400 and 599", option, n)
		}
	}
	opts.Cursor.ErrorStatus = c.Int("expired-status")
	opts.Events.OutsideStatus, opts.Feed.OutsideStatus = c.Int("outside-status"), c.Int("outside-status")
	if n := c.Int("access-limit"); n > 0 {
		opts.Access.RateLimit = mockserver.RateLimit{Requests: n, Window: time.Minute, Named: mockserver.RetryAfterSeconds | mockserver.RetryAfterBody}
	} else if c.IsSet("access-limit") {
		return usage("--access-limit %d is not above 0", n)
	}
	share := c.Float64("access-failures")
	if !(share >= 0 && share <= 1) { // NaN is neither
		return usage("--access-failures %v is not between 0 and 1", share)
	}
	if share > 0 {
		opts.Random = append(opts.Random, mockserver.RandomFault{
			Endpoint: mockserver.StreamAccess, Rate: share, Fault: mockserver.Status(http.StatusBadGateway),
		})
	}
	return nil
}

// keysAccepted says which keys the server accepts, and for how long.
func keysAccepted(opts mockserver.Options) string {
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
