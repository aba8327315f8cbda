package contest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"datasync/internal/bench/measure"
	"datasync/internal/bench/pages"
	"datasync/internal/bench/rivals"
	"datasync/internal/bench/table"
)

// Contest is a job and who does it.
type Contest struct {
	Set *pages.Set
	// BaseURL is where the Set is served.
	BaseURL  string
	Programs []rivals.Program
	Turns    int
	// Folder is where files are made meanwhile.
	Folder string
	// Tell is told of each run when it is over.
	Tell func(Run)
}

// Run is one run of one program.
type Run struct {
	Program string
	Events  int
	Turn    int // from 1
	measure.Cost
	FileSize int64 // bytes, with the write-ahead log; 0 for a program that stores nothing
}

// Rate is in events a second.
func (r Run) Rate() float64 { return float64(r.Events) / r.Wall.Seconds() }

// Play lets all programs run in each turn, in their order, and checks what each has
// stored. It stops at the first that fails or stored something else.
func (c *Contest) Play(ctx context.Context) ([]Run, error) {
	var runs []Run
	for turn := 1; turn <= c.Turns; turn++ {
		for _, program := range c.Programs {
			run, err := c.Once(ctx, program, "")
			if err != nil {
				return runs, fmt.Errorf("%s, turn %d: %w", program.Name, turn, err)
			}
			run.Turn = turn
			c.Tell(run)
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// Once lets a program run once. With keep, the DuckDB file is left there.
func (c *Contest) Once(ctx context.Context, program rivals.Program, keep string) (run Run, err error) {
	folder, err := os.MkdirTemp(c.Folder, "run-")
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	job := rivals.Job{BaseURL: c.BaseURL, Pattern: c.Set.Pattern(), Folder: folder}
	run = Run{Program: program.Name, Events: c.Set.Events}
	var stdout []byte
	if run.Cost, stdout, err = measure.Command(program.Command(ctx, job)); err != nil {
		return run, err
	}
	if program.Relation == "" {
		return run, c.checkDownload(stdout)
	}
	if run.FileSize, err = size(job.File()); err != nil {
		return run, err
	}
	if err := c.check(ctx, job.File(), program.Relation); err != nil {
		return run, err
	}
	if keep != "" {
		err = os.Rename(job.File(), keep)
	}
	return run, err
}

// check compares the table in a process of its own: the memory of this one would count as that of
// the programs it starts.
func (c *Contest) check(ctx context.Context, file, relation string) error {
	_, stdout, err := measure.Command(rivals.Self(ctx, "fingerprint", "--db", file, "--relation", relation))
	if err != nil {
		return err
	}
	var got table.Fingerprint
	if err := json.Unmarshal(stdout, &got); err != nil {
		return err
	}
	return got.Compare(c.Set.Want)
}

func (c *Contest) checkDownload(stdout []byte) error {
	var got rivals.Downloaded
	if err := json.Unmarshal(stdout, &got); err != nil {
		return err
	}
	if want := (rivals.Downloaded{Pages: len(c.Set.Cursors), Bytes: c.Set.Bytes}); got != want {
		return fmt.Errorf("downloaded %d pages, %d bytes; want %d, %d", got.Pages, got.Bytes, want.Pages, want.Bytes)
	}
	return nil
}

// size is that of a DuckDB file and its write-ahead log.
func size(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	if wal, err := os.Stat(file + ".wal"); err == nil {
		return info.Size() + wal.Size(), nil
	}
	return info.Size(), nil
}

// Fastest lets programs run in turns, so many of them, and returns the one with the fastest
// run.
func (c *Contest) Fastest(ctx context.Context, programs []rivals.Program, turns int, tell func(rivals.Program, Run)) (fastest rivals.Program, err error) {
	var least time.Duration
	for range turns {
		for _, program := range programs {
			run, err := c.Once(ctx, program, "")
			if err != nil {
				return fastest, fmt.Errorf("%s: %w", program.Name, err)
			}
			tell(program, run)
			if least == 0 || run.Wall < least {
				least, fastest = run.Wall, program
			}
		}
	}
	return fastest, nil
}

// Keep lets a program run once more and leaves its file in a folder, under the program's
// name; it returns the path.
func (c *Contest) Keep(ctx context.Context, program rivals.Program) (string, error) {
	file := filepath.Join(c.Folder, program.Name+".duckdb")
	_, err := c.Once(ctx, program, file)
	return file, err
}
