package shell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"datasync/internal/inspect"
	"datasync/internal/term"
	"datasync/query"
)

// File is the open database file, or a copy that a running pull lends.
type File struct {
	Session *inspect.Session
	Edition inspect.Edition
	// Copy says that it is a copy, which blocks no other process.
	Copy bool
	// Close closes the session, and gives a copy back.
	Close func()
}

// file is the shell's file. It is open while statements run, and longer only if the session has
// state to lose.
type file struct {
	// mu guards the rest. It is held while statements run.
	mu   sync.Mutex
	open *File // nil while it is closed
	// state is the state that the end of the session would lose.
	state  []string
	seeded bool // the session has set a seed of random()
	// unwatch ends the goroutine that looks for processes that wait for the file.
	unwatch func()
	// seen is the edition of the last file that was open, nil before the first one.
	seen *inspect.Edition
}

// use calls do with the open file. It fails with the error of Options.Open or of do.
func (s *shell) use(ctx context.Context, do func(*File) error) error {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	f, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer s.shutUnlessHeld()
	return do(f)
}

// open opens the file unless it is open, and says which data it has if that is new. The caller holds
// file.mu, and closes the file by settle or shutUnlessHeld.
func (s *shell) open(ctx context.Context) (*File, error) {
	if s.file.open != nil {
		return s.file.open, nil
	}
	f, err := s.Open(ctx, s.Timezone)
	if err != nil {
		return nil, err
	}
	s.file.open = f
	old := s.file.seen
	s.file.seen = &f.Edition
	if old == nil || f.Edition.Batch != old.Batch || f.Edition.Events != old.Events || !f.Edition.AsOf.Equal(old.AsOf) {
		s.learnNames(ctx, f)
		if old != nil {
			s.say(s.newData(f, old.Events))
		}
	}
	return f, nil
}

// newData describes the data of the file, compared with the number of events before.
func (s *shell) newData(f *File, before int64) string {
	what := "new data"
	if f.Edition.Events == before {
		what = "no new events"
	}
	text := fmt.Sprintf("%s: batch %d, %s", what, f.Edition.Batch, term.Counted(f.Edition.Events, "event"))
	if at := f.Edition.AsOf; !at.IsZero() {
		location := time.UTC
		if s.Query.Location != nil {
			location = s.Query.Location
		}
		text += ", as of " + at.In(location).Format(time.RFC3339)
	}
	if f.Copy {
		text += "; a pull is running"
	}
	return text
}

// learnNames reads the names that completion offers.
func (s *shell) learnNames(ctx context.Context, f *File) {
	columns, err := f.Session.Columns(ctx)
	if err != nil {
		return // statements work without completion
	}
	names, err := inspect.OpenNames(ctx, columns)
	if err != nil {
		return
	}
	if s.names != nil {
		_ = s.names.Close()
	}
	s.names = names
}

// reading are the first words of statements that leave nothing in a session.
var reading = []string{"select", "from", "with", "values", "table", "describe", "desc", "show", "summarize", "pivot", "unpivot"}

// settle closes the file after statements, unless the session has state to lose. The caller holds
// file.mu.
func (s *shell) settle(ctx context.Context, text string) {
	if strings.Contains(strings.ToLower(text), "setseed") {
		s.file.seeded = true
	}
	statements, _ := query.Split(text)
	onlyReads := !slices.ContainsFunc(statements, func(statement string) bool {
		end := strings.IndexFunc(statement, func(r rune) bool { return !unicode.IsLetter(r) })
		return end < 0 || !slices.Contains(reading, strings.ToLower(statement[:end]))
	})
	if onlyReads && len(s.file.state) == 0 && !s.file.seeded {
		s.shut()
		return
	}
	state, err := s.file.open.Session.State(ctx)
	if err != nil {
		s.lose("the session had to be closed: " + s.Explain(err))
		return
	}
	if s.file.seeded {
		state = append(state, "the seed of random()")
	}
	held := len(s.file.state) > 0
	s.file.state = state
	switch {
	case len(state) == 0:
		s.shut()
	case s.asked():
		s.lose(s.pullAsked())
	case !held:
		s.say(s.holds())
		s.watch()
	}
}

// holds says why the file stays open, and until when.
func (s *shell) holds() string {
	what, until := s.Database, " or a pull asks"
	if s.file.open.Copy {
		what, until = "a copy of "+s.Database, ""
	}
	return fmt.Sprintf("%s stays open for %s, until .close%s", what, strings.Join(s.file.state, ", "), until)
}

// asked reports whether another process waits for the file that is open.
func (s *shell) asked() bool { return !s.file.open.Copy && s.Wanted() }

func (s *shell) pullAsked() string {
	return "a pull asked for " + s.Database + ": this session is closed"
}

// watchPause is the time between two checks for a process that waits for the file. A pull, even of an
// older version, waits longer than a second.
const watchPause = 200 * time.Millisecond

// watch closes the file when another process waits for it, until the file is closed. The caller
// holds file.mu.
func (s *shell) watch() {
	if s.file.open.Copy {
		return
	}
	done := make(chan struct{})
	s.file.unwatch = sync.OnceFunc(func() { close(done) })
	go func() {
		tick := time.NewTicker(watchPause)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if !s.Wanted() || !s.file.mu.TryLock() { // while a statement runs: settle looks after it
				continue
			}
			select {
			case <-done: // closed meanwhile
			default:
				s.lose(s.pullAsked())
			}
			s.file.mu.Unlock()
		}
	}()
}

// lose closes the file, and says why, and which state is lost. The caller holds file.mu.
func (s *shell) lose(why string) {
	if lost := s.shut(); len(lost) > 0 {
		why += "; lost: " + strings.Join(lost, ", ")
	}
	s.say(why)
}

// shut closes the file, and returns the state that the session had. The caller holds file.mu.
func (s *shell) shut() (lost []string) {
	if s.file.unwatch != nil {
		s.file.unwatch()
	}
	if s.file.open != nil {
		s.file.open.Close()
	}
	lost = s.file.state
	s.file.open, s.file.state, s.file.unwatch, s.file.seeded = nil, nil, nil, false
	return lost
}

// shutUnlessHeld closes the file, unless the session has state to lose.
func (s *shell) shutUnlessHeld() {
	if len(s.file.state) == 0 {
		s.shut()
	}
}

// closeFile is .close.
func (s *shell) closeFile() {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	if s.file.open == nil {
		s.say(s.Database + " is not open: the shell opens it for each statement")
		return
	}
	s.lose("closed")
}
