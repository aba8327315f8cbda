package web_test

import (
	"context"
	"testing"
	"time"

	"datasync/internal/report/figures"
	"datasync/internal/web"
	"datasync/internal/web/tally"
)

// looked is a source that says when it is asked for its standing.
type looked struct {
	source
	asked chan struct{}
}

func (l *looked) Standing(ctx context.Context) (web.Standing, error) {
	select {
	case l.asked <- struct{}{}:
	default:
	}
	return l.source.Standing(ctx)
}

// TestFirstState: a page that is opened in the middle of a pull has the numbers of its last batch at once.
func TestFirstState(t *testing.T) {
	src := &looked{asked: make(chan struct{})}
	src.standing.Store(&web.Standing{State: web.Pulling, Walked: 50, Total: 200})
	c := tally.New(time.UTC)
	stored := figures.Counts{Types: []figures.Type{{Name: "click", Events: 5}}, Hours: []figures.Hour{{Start: time.Unix(0, 0).UTC(), Events: []int64{5}}}}
	c.Seed(&stored, time.Unix(1, 0), time.Unix(9, 0), 7)
	s := serve(t, web.Options{Source: src, Counters: c, Stored: 7})
	<-src.asked
	<-src.asked // the first look is done
	r := s.stream()
	r.await("a state", func() bool { return r.state.State != "" })
	if st := r.state; st.Batch == nil || *st.Batch != 7 || st.Events == nil || *st.Events != 5 {
		t.Errorf("the first line has %+v", st)
	}
}
