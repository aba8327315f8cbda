package app

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"datasync/ingest"
	"datasync/internal/inspect"
	"datasync/internal/live"
	"datasync/internal/store"
	"datasync/internal/term"
)

// rejectSamples is the number of rejects of each reason that status --rejected shows.
const rejectSamples = 3

// liveStatus is the answer of a running pull to "status".
type liveStatus struct {
	Status inspect.Status
	// Batch is the last one that is committed. Pulls of earlier versions do not send it.
	Batch   int64
	Samples []inspect.RejectSample
	Pull    runningPull
}

// runningPull is the progress that a running pull reports.
type runningPull struct {
	PID      int
	Standing ingest.Snapshot
}

// answers has the data with which a running pull answers readers. It implements live.Database.
type answers struct {
	*store.Store
	progress *ingest.Progress
}

func (a answers) Status(ctx context.Context) (any, error) {
	s, samples, err := a.Store.Status(ctx, rejectSamples)
	if err != nil {
		return nil, err
	}
	answer := liveStatus{Status: s, Samples: samples, Pull: runningPull{os.Getpid(), a.progress.Now()}}
	return answer, a.Read(ctx, func(ctx context.Context, db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT coalesce(max(batch), 0) FROM checkpoints").Scan(&answer.Batch)
	})
}

func (a answers) Snapshot(ctx context.Context) (live.Snapshot, error) {
	s, err := a.Store.Snapshot(ctx)
	return live.Snapshot{Path: s.Path, Batch: s.Batch, Events: s.Events, Change: s.Change}, err
}

// answerReaders answers other processes that read the file, until stop is called. Without a
// socket the pull runs all the same, and says so.
func answerReaders(ctx context.Context, t term.IO, s *store.Store, progress *ingest.Progress, notice func(string)) (stop func()) {
	server, err := live.Listen(s.Path(), live.Folders(t.Getenv("XDG_RUNTIME_DIR"), t.Env("TMPDIR", "/tmp")))
	if err != nil {
		notice(fmt.Sprintf("other commands cannot read this file during the pull: could not create its socket: %v%s", err, see(topicNoSocket)))
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(ctx, answers{s, progress})
	}()
	return func() { cancel(); <-ended }
}
