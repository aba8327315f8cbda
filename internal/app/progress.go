package app

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"datasync/ingest"
	"datasync/query"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

const (
	// lineEvery is how often a line of progress is printed where there is no terminal.
	lineEvery = 10 * time.Second
	barEvery  = 150 * time.Millisecond
)

// show shows the pull's progress on stderr until stop is called: a bar on a
// terminal, a line every ten seconds elsewhere. Notices go through notice, so that
// they do not stand in the bar.
func (p *program) show(progress *ingest.Progress) (notice func(string), stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	if f, ok := p.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return p.showBar(progress, f, done, ended)
	}
	tick := time.NewTicker(lineEvery)
	var mu sync.Mutex // the lines and the notices
	say := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		p.say(text)
	}
	go func() {
		defer close(ended)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				s := progress.Now()
				say(events(s) + ", " + status(s, now))
			}
		}
	}()
	return say, func() { close(done); <-ended }
}

func (p *program) showBar(progress *ingest.Progress, w io.Writer, done, ended chan struct{}) (func(string), func()) {
	bars := mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(barEvery))
	bar := bars.New(0, mpb.BarStyle(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return events(progress.Now()) + " " })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + status(progress.Now(), time.Now()) })),
	)
	tick := time.NewTicker(barEvery)
	go func() {
		defer close(ended)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				s := progress.Now()
				bar.SetTotal(max(s.Total, s.Walked+1), false)
				bar.SetCurrent(s.Walked)
			}
		}
	}()
	notice := func(text string) { _, _ = fmt.Fprintf(bars, "datasync: %s\n", query.Visible(text)) }
	return notice, func() {
		close(done)
		<-ended
		bar.Abort(true)
		bars.Wait()
	}
}

// events says how far the walk is, such as "1,200,000 of 3,000,000 events (40 %)".
func events(s ingest.Snapshot) string {
	if s.Total <= 0 {
		return thousands(s.Walked) + " events"
	}
	return fmt.Sprintf("%s of %s events (%d %%)", thousands(s.Walked), thousands(s.Total), min(100, 100*s.Walked/s.Total))
}

// status says how fast it goes and what it does.
func status(s ingest.Snapshot, now time.Time) string {
	var parts []string
	if took := now.Sub(s.Began); s.Read > 0 && took > 0 {
		parts = append(parts, thousands(int64(float64(s.Read)/took.Seconds()))+" events/s")
	}
	switch {
	case s.Waiting != "":
		parts = append(parts, fmt.Sprintf("waiting %d s (%s endpoint: %s)", max(0, int(s.Until.Sub(now).Seconds()+0.999)), s.Waiting, s.Why))
	case s.Endpoint != "":
		parts = append(parts, "from "+s.Endpoint)
	}
	if left := s.Left; left > 0 {
		parts = append(parts, left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, ", ")
}

// summarise says what the pull did.
func (p *program) summarise(s ingest.Summary) {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(&b, "  %-12s%s\n", name, fmt.Sprintf(format, args...))
	}
	complete := "complete"
	if s.From.Valid {
		complete += ", from " + s.From.V.Time().Format(time.RFC3339Nano) + " on"
	}
	if !s.Complete {
		complete = "not complete"
	}
	_, _ = fmt.Fprintf(&b, "datasync: %s\n", complete)
	line("stored", "%s events (%s events/s)", thousands(s.Stored), thousands(int64(float64(s.Stored)/max(s.Took.Seconds(), 1e-3))))
	if s.Total > 0 {
		line("in the file", "%s events", thousands(s.Total))
	}
	line("duplicates", "%s (%s with other contents)", thousands(s.Duplicate), thousands(s.Conflict))
	rejected := thousands(s.Rejected) + reasons(s.Reasons)
	if s.NotReadAgain > 0 {
		rejected += fmt.Sprintf("; %s that came were not read again: --restart reads everything again", thousands(s.NotReadAgain))
	}
	line("rejected", "%s%s", rejected, seeIf(s.Rejected > 0, topicRejected))
	if text := witness(s); text != "" {
		line("API", "%s", text)
	}
	line("pages", "%s from events, %s from feed", thousands(s.Pages["events"]), thousands(s.Pages["feed"]))
	line("429s", "%s from events, %s from feed, %s from stream-access",
		thousands(s.Limited["events"]), thousands(s.Limited["feed"]), thousands(s.Limited["stream-access"]))
	line("took", "%s", took(s))
	if s.ResumedFrom.Valid {
		line("resumed", "behind %s, event %s", s.ResumedFrom.V.Timestamp.Time().Format(time.RFC3339Nano), s.ResumedFrom.V.ID)
	}
	_, _ = io.WriteString(p.stderr, b.String())
}

// witness says what the API's own count says of a file, where that is not that it has everything.
func witness(s ingest.Summary) string {
	switch b := s.Balance; {
	case s.Total+s.TotalRejected == 0 && !s.Witness.First.Valid, !s.Complete && !b.Valid:
		return ""
	case !s.Witness.First.Valid:
		return "did not say how many events it has"
	case s.Witness.Bounded:
		return fmt.Sprintf("counts %s events of all times, and does not say how many lie above the start bound: how many are missing is not known", thousands(s.Witness.First.V))
	case b.V.Missing > 0:
		return fmt.Sprintf("counts %s events: at least %s missing here", thousands(s.Witness.First.V), thousands(b.V.Missing))
	case b.V.Gone > 0:
		return fmt.Sprintf("counts %s events: at least %s here are no longer there; whether others are missing cannot be told", thousands(s.Witness.First.V), thousands(b.V.Gone))
	case b.V.Unclear:
		return fmt.Sprintf("counted %s events at first, and fewer at the end: how many are missing is not known", thousands(s.Witness.First.V))
	case b.V.Copies > 0:
		return fmt.Sprintf("counts %s events, %s of them exact copies of others", thousands(s.Witness.First.V), thousands(b.V.Copies))
	}
	return ""
}

// took says how long the pull took, beside the least that the API lets it take, and where the
// time went.
func took(s ingest.Summary) string {
	text := brief(s.Took)
	// Of a moment, or of limits that the API does not keep to, it says nothing.
	if s.Minimum >= 10*time.Millisecond && s.Took >= s.Minimum {
		text += fmt.Sprintf(", %.2f x the floor (%s)", s.Took.Seconds()/s.Minimum.Seconds(), brief(s.Minimum))
	}
	text += "; waited " + brief(s.Fetching+s.Waited) + " for the API"
	if s.Waited >= time.Millisecond {
		text += ", " + brief(s.Waited) + " of it between requests"
	}
	return text + ", " + brief(max(0, s.Took-s.Fetching-s.Waited)) + " here"
}

// brief writes a duration as a person would.
func brief(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

func reasons(counts map[string]int64) string {
	if len(counts) == 0 {
		return ""
	}
	var parts []string
	for reason, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %s", thousands(n), reason))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}

// thousands writes n with commas.
func thousands(n int64) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
