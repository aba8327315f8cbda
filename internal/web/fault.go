package web

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// faults are the jobs of the page that ended with a panic. The zero value has none.
type faults struct {
	mu sync.Mutex
	// now are the errors of the jobs whose last try panicked, and told the jobs that were logged.
	now  map[string]string
	told map[string]bool
}

// try runs a job of the page. A panic in it is an error of the page, never the end of the process: a pull that runs in
// it goes on. The first panic of a job is logged, and clients see it until the job succeeds.
func (s *Server) try(job string, do func() error) (err error) {
	panicked := true
	defer func() {
		if panicked {
			err = errors.New(s.fail(job, fmt.Sprintf("%v at %s", recover(), panicPlace())))
		}
	}()
	err = do()
	panicked = false
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	delete(s.faults.now, job)
	return err
}

// fail records that a job has failed for a reason, and returns that as a line.
func (s *Server) fail(job, reason string) string {
	line := fmt.Sprintf("the page cannot %s: %s", job, strings.Join(strings.Fields(reason), " "))
	if s.faults.add(job, line) && s.Notice != nil {
		s.Notice(line)
	}
	return line
}

// add records an error of a job, and reports whether it is the job's first one.
func (f *faults) add(job, line string) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now == nil {
		f.now, f.told = map[string]string{}, map[string]bool{}
	}
	first = !f.told[job]
	f.now[job], f.told[job] = line, true
	return first
}

// newest returns the error of a job whose last try failed; "" if there is none.
func (f *faults) newest() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range slices.Sorted(maps.Keys(f.now)) {
		return f.now[job]
	}
	return ""
}

// panicPlace returns the file and line of the program at which the panic came that is being recovered.
func panicPlace() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for panicking := false; ; {
		frame, more := frames.Next()
		if panicking && strings.HasPrefix(frame.Function, "datasync/") {
			return fmt.Sprintf("%s:%d", path.Base(frame.File), frame.Line)
		}
		panicking = panicking || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown line"
		}
	}
}
