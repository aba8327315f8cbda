package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"datasync/internal/bench/api"
	"datasync/internal/bench/measure"
	"datasync/internal/bench/pages"
	"datasync/internal/bench/report"
	"datasync/internal/bench/rivals"
	"datasync/internal/bench/table"
	"datasync/mockserver"
)

// apiRun is the command that measures pulls from an API with limits and latency.
type apiRun struct {
	*place
	events, fewEvents, turns int
	timeScale                float64
	auto                     bool
	scenarios                []api.Scenario
	binary                   string
	knowsWorkers             bool
	want                     map[int]table.Fingerprint // by number of events
	result                   apiResult
}

// measureAPI pulls from services of several kinds: with one walk, with several, and once more with
// a kill in between.
func measureAPI(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("api", flag.ExitOnError)
	a := &apiRun{place: placeFlags(flags)}
	flags.IntVar(&a.events, "events", 3_000_000, "how many events")
	flags.IntVar(&a.fewEvents, "few-events", 1_000_000, "how many events in scenarios that are not as observed")
	flags.IntVar(&a.turns, "turns", 1, "how often each pull runs")
	flags.Float64Var(&a.timeScale, "scale", 10, "by what the service's times are divided, 1 to 10")
	flags.BoolVar(&a.auto, "auto", true, "also pull windows side by side")
	which := flags.String("scenario", "", "which scenarios, with commas between (default: all)")
	err := flags.Parse(args)
	if err != nil {
		return err
	}
	if a.turns < 1 || a.events < 1 || a.fewEvents < 1 {
		return errors.New("--turns, --events and --few-events must be positive")
	}
	if a.timeScale < 1 || a.timeScale > 10 {
		return errors.New("--scale must be 1 to 10")
	}
	if a.scenarios, err = api.Choose(*which); err != nil {
		return err
	}
	if a.write && !a.auto {
		return errors.New("--write puts pulls side by side into the document, too: leave out --auto=false")
	}
	if err := a.measure(ctx); err != nil {
		return err
	}
	text := a.result.markdown()
	fmt.Println(text)
	if a.write {
		return report.Replace(filepath.Join(a.root, "docs", "performance.md"), "api", text)
	}
	return nil
}

// measure fills in the result.
func (a *apiRun) measure(ctx context.Context) (err error) {
	done, err := a.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if a.binary, err = a.build(ctx); err != nil {
		return err
	}
	// A program of an older commit, by --root, may not know parallel walks.
	_, help, err := measure.Process(ctx, a.binary, "pull", "--help")
	if err != nil {
		return err
	}
	a.knowsWorkers = bytes.Contains(help, []byte("--workers"))
	a.want = map[int]table.Fingerprint{}
	a.result = apiResult{head: newHead(ctx, a.root), timeScale: a.timeScale, scenarios: a.scenarios}
	for turn := 1; turn <= a.turns; turn++ {
		for _, s := range a.scenarios {
			if err := a.turn(ctx, s, turn); err != nil {
				return fmt.Errorf("%s, turn %d: %w", s.Name, turn, err)
			}
		}
	}
	return nil
}

// turn pulls once in each way, and once with a kill in the last of them.
func (a *apiRun) turn(ctx context.Context, s api.Scenario, turn int) error {
	events := a.events
	if !s.Long {
		events = min(a.events, a.fewEvents)
	}
	var run api.Run
	for _, workers := range a.ways() {
		var err error
		if run, err = a.whole(ctx, s.Options(events, a.timeScale), workers); err != nil {
			return err
		}
		run.Scenario, run.Turn, run.Events = s.Name, turn, events
		a.result.runs = append(a.result.runs, run)
		say("%s: --workers %s: wall %s, %.2f of the floor, %d pages, %d in flight at most, 429s %s, %d inside a wait", s.Name, shownWorkers(workers),
			report.Seconds(run.Wall), run.OfFloor(), run.Sent(), run.Served.MaxInFlight, report.Percent(run.Limited()), run.Served.Early)
	}
	resume, err := a.killed(ctx, s.Options(events, a.timeScale), run)
	if err != nil {
		return fmt.Errorf("with a kill: %w", err)
	}
	a.result.resumes = append(a.result.resumes, resume)
	say("%s: killed after %d pages with %d windows under way: %d pages in both runs, %d undisturbed", s.Name, resume.KilledAt, resume.Windows, resume.Sent, resume.Undisturbed)
	return nil
}

// ways are the arguments of --workers; an empty one leaves it out.
func (a *apiRun) ways() []string {
	switch {
	case !a.knowsWorkers:
		return []string{""}
	case !a.auto:
		return []string{api.Sequential}
	}
	return []string{api.Sequential, api.Auto}
}

// whole pulls all events in one run, and checks them.
func (a *apiRun) whole(ctx context.Context, opts mockserver.Options, workers string) (run api.Run, err error) {
	m, err := a.serve(ctx, opts)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	run = api.Run{Workers: workers, Least: api.Least(opts, opts.Data.Events)}
	if run.Cost, _, err = measure.Command(m.pull(ctx, a.binary, workers)); err != nil {
		return run, err
	}
	run.Served = m.server.Stats()
	return run, a.check(ctx, m)
}

// killed pulls as an undisturbed run did, kills the program at two fifths of the pages, lets
// all cursors die, and pulls the rest.
func (a *apiRun) killed(ctx context.Context, opts mockserver.Options, undisturbed api.Run) (resume api.Resume, err error) {
	m, err := a.serve(ctx, opts)
	if err != nil {
		return resume, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	resume = api.Resume{Scenario: undisturbed.Scenario, Turn: undisturbed.Turn, Workers: undisturbed.Workers, Undisturbed: undisturbed.Sent()}
	if resume.OnTheWay, err = m.kill(m.pull(ctx, a.binary, undisturbed.Workers), undisturbed.Sent()*2/5); err != nil {
		return resume, err
	}
	resume.KilledAt = api.Sent(m.server.Stats())
	m.server.ExpireCursors()
	if err := a.readKilled(ctx, m.file(), &resume); err != nil {
		return resume, err
	}
	if _, _, err := measure.Command(m.pull(ctx, a.binary, undisturbed.Workers)); err != nil {
		return resume, err
	}
	resume.Served = m.server.Stats()
	resume.Sent = api.Sent(resume.Served)
	return resume, a.check(ctx, m)
}

// readKilled reads what a killed pull has left.
func (a *apiRun) readKilled(ctx context.Context, file string, resume *api.Resume) error {
	_, stdout, err := measure.Process(ctx, a.binary, "--db", file, "status", "--recover", "--json")
	if err != nil {
		return err
	}
	var status struct {
		Windows []struct {
			State string `json:"state"`
			Pages int    `json:"pages"`
		} `json:"windows"`
	}
	if err := json.Unmarshal(stdout, &status); err != nil {
		return err
	}
	for _, w := range status.Windows {
		resume.Committed += w.Pages
		if w.State == "under_way" {
			resume.Windows++
		}
	}
	return nil
}

// check compares the file with the served events, and checks that the pull kept the API's rules.
// Requests within a wait are counted separately.
func (a *apiRun) check(ctx context.Context, m *mock) error {
	if st := m.server.Stats(); st.Violations > st.Early {
		return fmt.Errorf("requests that a client should not send: %w", m.server.Verify())
	}
	_, stdout, err := measure.Command(rivals.Self(ctx, "fingerprint", "--db", m.file(), "--relation", "events"))
	if err != nil {
		return err
	}
	var got table.Fingerprint
	if err := json.Unmarshal(stdout, &got); err != nil {
		return err
	}
	data := m.server.Dataset()
	want, known := a.want[data.Len()]
	if !known {
		want = pages.Expected(data)
		a.want[data.Len()] = want
	}
	return got.Compare(want)
}

// mock is a mock server in this process, behind a socket, and the folder for a pull from it.
type mock struct {
	server *mockserver.Server
	url    string
	folder string
	stop   func() error
}

func (a *apiRun) serve(ctx context.Context, opts mockserver.Options) (*mock, error) {
	folder, err := os.MkdirTemp(a.scratch, "api-")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mock{server: mockserver.New(opts), folder: folder, url: "http://" + listener.Addr().String()}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1) // so that the server ends whether or not close is called
	go func() { served <- m.server.Serve(ctx, listener) }()
	m.stop = func() error {
		cancel()
		return <-served
	}
	return m, nil
}

func (m *mock) file() string { return filepath.Join(m.folder, "events.duckdb") }

func (m *mock) close() error { return errors.Join(m.stop(), os.RemoveAll(m.folder)) }

// pull is the command that pulls from the server.
func (m *mock) pull(ctx context.Context, binary, workers string) *exec.Cmd {
	args := []string{"--db", m.file(), "pull", "--quiet"}
	if workers != "" {
		args = append(args, "--workers", workers)
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	// The user's own settings do not count here.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "DATASYNC_") })
	cmd.Env = append(cmd.Env, "DATASYNC_API_KEY="+rivals.Key, "DATASYNC_BASE_URL="+m.url)
	return cmd
}

var errEnded = errors.New("the pull ended before it could be killed")

// kill starts a pull and kills it when so many pages have been sent. It fails where the
// pull ends before.
func (m *mock) kill(cmd *exec.Cmd, sent int) (onTheWay int, _ error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1) // buffered, so that the goroutine that waits for the process always ends
	go func() { ended <- cmd.Wait() }()
	// Pages come a tenth of a second apart and more.
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			return 0, errors.Join(errEnded, err, errors.New(strings.TrimSpace(stderr.String())))
		case <-look.C:
		}
		if api.Sent(m.server.Stats()) < sent {
			continue
		}
		onTheWay = m.server.Stats().InFlight
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return 0, err
		}
		if err := <-ended; err == nil {
			return 0, errEnded
		}
		return onTheWay, nil
	}
}
