package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"datasync/internal/bench/contest"
	"datasync/internal/bench/report"
	"datasync/internal/bench/rivals"
)

// comparison is the command that lets datasync and its rivals do the same.
type comparison struct {
	*place
	events, slowEvents, turns int
	datasync                  rivals.Program
	binary                    string
	result                    comparisonResult
}

// compare measures datasync beside its rivals. Fast rivals store all events. Slow ones store fewer,
// and datasync stores as few beside them.
func compare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	c := &comparison{place: placeFlags(flags)}
	flags.IntVar(&c.events, "events", 3_000_000, "how many events")
	flags.IntVar(&c.slowEvents, "slow-events", 1_000_000, "how many events for rivals that are slow")
	flags.IntVar(&c.turns, "turns", 5, "how often each program runs")
	which := flags.String("rivals", strings.Join(rivalNames(), ","), "which rivals, with commas between")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if c.turns < 1 || c.events < 1 || c.slowEvents < 1 || c.slowEvents > c.events {
		return errors.New("--turns, --events and --slow-events must be positive, and there must not be more slow events than events")
	}
	chosen, err := chooseRivals(*which)
	if err != nil {
		return err
	}
	if err := c.play(ctx, chosen); err != nil {
		return err
	}
	text := c.result.markdown()
	fmt.Println(text)
	if c.write {
		return report.Replace(filepath.Join(c.root, "docs", "performance.md"), "compare", text)
	}
	return nil
}

// play builds datasync, plays the contests and fills in the result.
func (c *comparison) play(ctx context.Context, chosen rivalChoice) (err error) {
	done, err := c.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if c.binary, err = c.build(ctx); err != nil {
		return err
	}
	c.datasync = rivals.Datasync(c.binary)
	c.result.head = newHead(ctx, c.root)
	c.result.events, c.result.slowEvents = c.events, c.slowEvents
	if err := c.fast(ctx, chosen); err != nil {
		return err
	}
	return c.slow(ctx, chosen)
}

// fast compares the rivals on all events, and measures queries and exports of a file with as many.
func (c *comparison) fast(ctx context.Context, chosen rivalChoice) error {
	all, stop, err := c.contest(ctx, c.events)
	if err != nil {
		return err
	}
	defer stop()
	all.Programs = []rivals.Program{c.datasync}
	if chosen["download"] {
		all.Programs = append(all.Programs, rivals.DownloadAlone())
	}
	if chosen["read_json"] {
		// Its ways are close to each other: one try would choose by chance.
		fastest, err := c.fastest(ctx, all, readJSONWays(), 2)
		if err != nil {
			return err
		}
		all.Programs = append(all.Programs, fastest)
		if fastest.Version != rivals.ReadJSONDefaults {
			untuned := rivals.DuckDBReadJSON(rivals.ReadJSONDefaults)
			untuned.Name += ", " + untuned.Version
			all.Programs = append(all.Programs, untuned)
		}
	}
	if chosen["plain"] {
		all.Programs = append(all.Programs, rivals.PlainClient())
	}
	if c.result.runs, err = all.Play(ctx); err != nil {
		return err
	}
	file, err := all.Keep(ctx, c.datasync)
	if err != nil {
		return err
	}
	c.result.answers, err = answerTimes(ctx, c.binary, file)
	return err
}

// slow compares on the events for slow rivals.
func (c *comparison) slow(ctx context.Context, chosen rivalChoice) error {
	if !chosen["dlt"] && !chosen["ingestr"] {
		return nil
	}
	few, stop, err := c.contest(ctx, c.slowEvents)
	if err != nil {
		return err
	}
	defer stop()
	tries, stopTries, err := c.contest(ctx, min(c.slowEvents, tryEvents))
	if err != nil {
		return err
	}
	defer stopTries()
	few.Programs = []rivals.Program{c.datasync}
	enter := func(name string, install func() ([]rivals.Program, error)) {
		if fastest, ok := c.enter(ctx, tries, name, install); ok {
			few.Programs = append(few.Programs, fastest)
		}
	}
	if chosen["dlt"] {
		enter("dlt", func() ([]rivals.Program, error) { return rivals.DLT(ctx, c.work) })
	}
	if chosen["ingestr"] {
		enter("ingestr", func() ([]rivals.Program, error) {
			ingestr, err := rivals.Ingestr(ctx, c.work)
			return []rivals.Program{ingestr}, errors.Join(err, c.lines(ctx, few.Set), c.lines(ctx, tries.Set))
		})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.result.slowRuns, err = few.Play(ctx)
	return err
}

// tryEvents is on how many events the ways of a slow rival are tried.
const tryEvents = 100_000

// enter returns a rival from PyPI, used in its fastest way. If it cannot be installed or fails, the
// result says why.
func (c *comparison) enter(ctx context.Context, tries *contest.Contest, name string, install func() ([]rivals.Program, error)) (rivals.Program, bool) {
	say("installing %s from PyPI, unless it was before", name)
	ways, err := install()
	if err == nil {
		var fastest rivals.Program
		if fastest, err = c.fastest(ctx, tries, ways, 1); err == nil {
			return fastest, true
		}
	}
	out := skipped{name, err}
	say("%s is skipped: %s", name, out.reason())
	c.result.skipped = append(c.result.skipped, out)
	return rivals.Program{}, false
}

// contest makes the pages and starts their server.
func (c *comparison) contest(ctx context.Context, events int) (*contest.Contest, func(), error) {
	set, err := c.pages(ctx, events)
	if err != nil {
		return nil, nil, err
	}
	url, stop, err := startServer(ctx, set)
	if err != nil {
		return nil, nil, err
	}
	return &contest.Contest{Set: set, BaseURL: url, Turns: c.turns, Folder: c.scratch, Tell: tellRun}, stop, nil
}

// fastest tries some ways to use one rival, on the same events, and keeps the fastest.
func (c *comparison) fastest(ctx context.Context, on *contest.Contest, ways []rivals.Program, turns int) (rivals.Program, error) {
	say("trying %s in each of its ways: %d", ways[0].Name, len(ways))
	fastest, err := on.Fastest(ctx, ways, turns, func(way rivals.Program, run contest.Run) {
		run.Program += ", " + way.Version
		tellRun(run)
	})
	if err != nil {
		return fastest, err
	}
	say("kept %s, %s", fastest.Name, fastest.Version)
	c.result.ways = append(c.result.ways, fastest)
	return fastest, nil
}

func tellRun(r contest.Run) {
	turn := "try"
	if r.Turn > 0 {
		turn = fmt.Sprint(r.Turn)
	}
	say("%-3s %-40s %9s events  wall %8s  cpu %8s  peak %7s  steal %s  load %.1f", turn, r.Program, thousands(r.Events),
		report.Seconds(r.Wall), report.Seconds(r.CPU), report.MB(r.PeakRSS), report.Percent(r.Steal), r.Load)
}

func readJSONWays() []rivals.Program {
	var ways []rivals.Program
	for _, way := range rivals.ReadJSONWays() {
		ways = append(ways, rivals.DuckDBReadJSON(way.Name))
	}
	return ways
}
