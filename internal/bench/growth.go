package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"datasync/internal/bench/growth"
	"datasync/internal/bench/measure"
	"datasync/internal/bench/report"
	"datasync/internal/bench/rivals"
)

// growthRun is the command that watches a pull while its file grows.
type growthRun struct {
	*place
	events, few, step int
	binary            string
	result            growthResult
}

// measureGrowth pulls many events in one run and in three, and, by the program itself and
// not watched, once as many and once few.
func measureGrowth(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("growth", flag.ExitOnError)
	g := &growthRun{place: placeFlags(flags)}
	flags.IntVar(&g.events, "events", 30_000_000, "how many events")
	flags.IntVar(&g.few, "few-events", 3_000_000, "how many events to compare memory with")
	flags.IntVar(&g.step, "step", 1_000_000, "how many events a step of the series has")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if g.step < 1 || g.few < 1 || g.events < 3*g.step {
		return errors.New("--events must be at least three steps")
	}
	if err := g.measure(ctx); err != nil {
		return err
	}
	text := g.result.markdown()
	fmt.Println(text)
	if !g.write {
		return nil
	}
	return g.publish(text)
}

// measure fills in the result.
func (g *growthRun) measure(ctx context.Context) (err error) {
	done, err := g.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if g.binary, err = g.build(ctx); err != nil {
		return err
	}
	g.result = growthResult{head: newHead(ctx, g.root), events: g.events, few: g.few, step: int64(g.step)}
	if g.result.fewCost, _, err = g.whole(ctx, g.few); err != nil {
		return err
	}
	if g.result.cost, g.result.fileSize, err = g.whole(ctx, g.events); err != nil {
		return err
	}
	return g.watched(ctx)
}

// whole lets the program itself pull and prove, and measures the pull.
func (g *growthRun) whole(ctx context.Context, events int) (cost measure.Cost, size int64, err error) {
	url, stop, err := startMock(ctx, g.binary, events)
	if err != nil {
		return cost, 0, err
	}
	defer stop()
	job := rivals.Job{BaseURL: url, Folder: g.scratch}
	if cost, _, err = measure.Command(rivals.Datasync(g.binary).Command(ctx, job)); err != nil {
		return cost, 0, err
	}
	say("%s events in one run: wall %s, peak %s, steal %s", thousands(events), report.Seconds(cost.Wall), report.MB(cost.PeakRSS), report.Percent(cost.Steal))
	size, err = g.prove(ctx, job.File(), events)
	return cost, size, err
}

// prove checks a file by datasync's own verify and by its count, and removes it.
func (g *growthRun) prove(ctx context.Context, file string, events int) (size int64, err error) {
	if _, _, err := measure.Process(ctx, g.binary, "--db", file, "verify"); err != nil {
		return 0, err
	}
	_, stdout, err := measure.Process(ctx, g.binary, "--db", file, "status", "--json")
	if err != nil {
		return 0, err
	}
	var status struct {
		Complete bool  `json:"complete"`
		Stored   int64 `json:"stored"`
		Size     int64 `json:"file_size"`
	}
	if err := json.Unmarshal(stdout, &status); err != nil {
		return 0, err
	}
	if !status.Complete || status.Stored != int64(events) {
		return 0, fmt.Errorf("the pull stored %d events of %d (complete: %v)", status.Stored, events, status.Complete)
	}
	left, err := filepath.Glob(file + "*")
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return status.Size, err
}

// watched pulls in one run and in three, and keeps each commit.
func (g *growthRun) watched(ctx context.Context) error {
	url, stop, err := startMock(ctx, g.binary, g.events)
	if err != nil {
		return err
	}
	defer stop()
	for _, runs := range []int{1, 3} {
		series := growth.Series{Name: "one run"}
		if runs > 1 {
			series.Name = fmt.Sprintf("%d runs", runs)
		}
		file := filepath.Join(g.scratch, "growth.duckdb")
		for n := 1; n <= runs; n++ {
			until := int64(g.events) * int64(n) / int64(runs)
			if n == runs {
				until = 0
			}
			say("watching %s: run %d", series.Name, n)
			commits, err := watchedPull(ctx, url, file, until)
			if err != nil {
				return err
			}
			series.Runs = append(series.Runs, commits)
		}
		if _, err := g.prove(ctx, file, g.events); err != nil {
			return err
		}
		g.result.series = append(g.result.series, series)
	}
	return nil
}

// watchedPull pulls in a process of its own. Once the file holds until events, if that is
// not zero, it is ended by SIGTERM.
func watchedPull(ctx context.Context, url, file string, until int64) ([]growth.Commit, error) {
	cmd := rivals.Self(ctx, "watched-pull", "--url", url, "--db", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var commits []growth.Commit
	asked := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var c growth.Commit
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		}
		commits = append(commits, c)
		if until > 0 && c.Stored >= until && !asked {
			asked = true
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				return nil, err
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the watched pull: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return commits, nil
}

// startMock starts "datasync mock" without limits and returns where it listens.
func startMock(ctx context.Context, binary string, events int) (url string, stop func(), err error) {
	cmd := exec.CommandContext(ctx, binary, "mock", "--profile", "plain", "--shape", "flat", "--events", fmt.Sprint(events), "--addr", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err == nil {
		url, err = mockURL(line)
	}
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the mock server did not start: %w", err)
	}
	return url, stop, nil
}
