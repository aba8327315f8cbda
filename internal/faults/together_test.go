package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestTwoPullsOnOneFile: the second pull ends at once, names the first and sends no request. The
// first continues undisturbed.
func TestTwoPullsOnOneFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	link := filepath.Join(w.Folder, "link.duckdb")
	if err := os.Symlink(w.File, link); err != nil {
		t.Fatal(err)
	}
	w.Kept = append(w.Kept, link)
	h := w.hold(8, command{Args: []string{"pull", "--workers", "1"}})
	before := len(w.API.Log())
	for _, args := range [][]string{{"pull"}, {"pull", "--restart"}, {"pull", "--quiet", "--db", link}, {"pull", "--dry-run"}, {"status", "--recover"}} {
		e := w.run(command{Args: args})
		w.endsWith(e, 6)
		w.says(e, "another pull is running", fmt.Sprintf("process %d", h.Process.Pid))
	}
	if after := len(w.API.Log()); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
	h.letGo()
	w.endsWith(h.wait(), 0)
	w.isWhole()
	w.isAsUndisturbed(tcpPages().Data)
}

// TestPullsThatBeginTogether: of several pulls that begin on a new file at the same time, at least
// one completes. The others say that it runs.
func TestPullsThatBeginTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	var pulls []*running
	for range 8 {
		pulls = append(pulls, w.start(command{Args: []string{"pull"}}))
	}
	done := 0
	for _, r := range pulls {
		e := r.wait()
		w.endsWith(e, 0, 6)
		if e.Code == 0 {
			done++
		}
	}
	if done == 0 {
		t.Error("none of the pulls completed")
	}
	w.isWhole()
	w.isAsUndisturbed(tcpPages().Data)
}

// TestAPullWhileSomebodyReads: the pull ends before its first request, and names the reader.
func TestAPullWhileSomebodyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	before := len(w.API.Log())
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader := w.start(command{Args: []string{"query", "SELECT 'begins' FROM range(100000000)"}, Stdout: in})
	_ = in.Close()
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 6)
	w.says(e, fmt.Sprintf("process %d", reader.Process.Pid))
	if after := len(w.API.Log()); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
	_ = out.Close()
	w.endsWith(reader.wait(), 0)
	w.API.Dataset().Grow(100)
	w.recovers()
}

// TestReadersDuringAPull: readers of a running pull get whole batches. Neither waits for the other.
func TestReadersDuringAPull(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 200, Latency: 30 * time.Millisecond}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 20_000, DirtyEvery: 200}, Events: pages, Feed: pages}
	w := newWorld(t, o)
	pulling := w.start(command{Args: []string{"pull", "--workers", "1"}})
	ended := make(chan harness.Result, 1)
	go func() { ended <- pulling.wait() }()
	for {
		select {
		case e := <-ended:
			w.endsWith(e, 0)
			_ = os.Remove(filepath.Join(w.Folder, "a.csv"))
			w.isWhole()
			w.isAsUndisturbed(o.Data)
			return
		default:
		}
		for _, args := range [][]string{
			{"query", "SELECT (SELECT count(*) FROM events) = (SELECT coalesce(sum(stored), 0) FROM page_log) AS whole"},
			{"verify"}, {"status"}, {"schema"}, {"export", "--csv", "a.csv", "--force"},
		} {
			e := w.run(command{Args: args})
			if e.Code == 6 && strings.Contains(e.Err, "no such") || e.Code == 6 && strings.Contains(e.Err, "does not exist") {
				continue // the pull has just begun
			}
			w.endsWith(e, 0)
			if args[0] == "query" && e.Out != "whole\ntrue\n" {
				t.Error(e)
			}
		}
	}
}
