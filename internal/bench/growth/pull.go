package growth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/bench/measure"
	"datasync/internal/model"
	"datasync/internal/store"
)

// Commit is one commit of a pull.
type Commit struct {
	// Stored is how many events the file holds after it.
	Stored int64 `json:"stored"`
	// New is how many of them it has added.
	New int64 `json:"new"`
	// At is when it ended, since the pull began; Took is how long it took.
	At   time.Duration `json:"at"`
	Took time.Duration `json:"took"`
	// RSS is the memory that the process has resident after it, FileSize the size of the
	// file with its write-ahead log; both in bytes.
	RSS      int64 `json:"rss"`
	FileSize int64 `json:"file_size"`
}

// gcPercent is that of internal/app/pull.go, and held equal by a test.
const gcPercent = 20

// Pull pulls as "datasync pull" does, and writes each Commit to out as a line of JSON. A
// ctx that is cancelled ends it as a signal would; that is not an error.
func Pull(ctx context.Context, base, file string, key api.Secret, out io.Writer) (err error) {
	baseURL, err := url.Parse(base)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	s, err := store.Open(ctx, store.Options{Path: file, Origin: api.Origin(baseURL), ToolVersion: "bench", MemoryLimit: store.PullMemoryLimit})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	held, err := s.Held(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	timed := &timedStore{Store: s, file: file, began: time.Now(), stored: held, out: json.NewEncoder(out)}
	_, err = ingest.Run(ctx, ingest.Options{
		Store: timed, BaseURL: baseURL, Key: key, PageSize: 100_000, Lookback: 10 * time.Minute,
		MaxWait: 5 * time.Minute, MaxRetryTime: 5 * time.Minute,
	})
	if ctx.Err() != nil {
		return nil // the interruption's own error; the file is checked at the end
	}
	return err
}

// timedStore is a store that tells of its commits.
type timedStore struct {
	ingest.Store
	file  string
	began time.Time

	mu     sync.Mutex
	stored int64
	out    *json.Encoder
}

// StartBatch is that of the store beneath.
func (s *timedStore) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	began := time.Now()
	ended := s.Store.StartBatch(ctx, b)
	return func() (model.Committed, error) {
		committed, err := ended()
		if err != nil {
			return committed, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stored += committed.Stored
		err = s.out.Encode(Commit{
			Stored: s.stored, New: committed.Stored, At: time.Since(s.began), Took: time.Since(began),
			RSS: measure.RSS(), FileSize: fileSize(s.file),
		})
		return committed, err
	}
}

// fileSize is that of a DuckDB file and its write-ahead log. It does not open the file: that
// would cost the process its lock.
func fileSize(file string) (size int64) {
	for _, name := range []string{file, file + ".wal"} {
		if info, err := os.Stat(name); err == nil {
			size += info.Size()
		}
	}
	return size
}
