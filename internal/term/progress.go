package term

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	barEvery  = 150 * time.Millisecond
	lineEvery = 10 * time.Second
)

// Progress describes how far something is. Its functions are called from other goroutines.
type Progress struct {
	// Delay is the time before anything is shown.
	Delay time.Duration
	// Count returns how much is done, and the total, which must be larger until the end.
	Count func() (done, total int64)
	// Before and After return the text on each side of the bar. Either may be nil.
	Before, After func(now time.Time) string
	// Line returns the line to print every ten seconds if stderr is no terminal. If it is nil,
	// nothing is printed then.
	Line func(now time.Time) string
}

// Show shows progress on stderr until stop is called: a bar on a terminal, lines elsewhere.
// Messages must go through say meanwhile, as the bar redraws its line. stop must be called
// once; nothing is written after it has returned.
func (t IO) Show(p Progress) (say func(text string), stop func()) {
	if f, ok := terminal(t.Stderr); ok {
		b := &bar{Progress: p, to: f}
		return b.say, b.follow()
	}
	l := &lines{Progress: p, to: t.Stderr}
	if p.Line == nil {
		return l.say, func() {}
	}
	return l.say, repeat(p.Delay, lineEvery, func(now time.Time) { l.say(p.Line(now)) })
}

// lines shows progress as lines of text.
type lines struct {
	Progress
	mu sync.Mutex // held while a line is written
	to io.Writer
}

func (l *lines) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sayTo(l.to, text)
}

// bar shows progress as a bar on a terminal. It appears with its first update.
type bar struct {
	Progress
	to io.Writer

	mu   sync.Mutex // guards bars and bar
	bars *mpb.Progress
	bar  *mpb.Bar
}

// follow updates the bar until stop is called.
func (b *bar) follow() (stop func()) {
	if b.Delay == 0 {
		b.update(time.Now())
	}
	stopUpdates := repeat(b.Delay, barEvery, b.update)
	return func() {
		stopUpdates()
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.bar != nil {
			b.bar.Abort(true)
			b.bars.Wait()
			b.bars, b.bar = nil, nil
		}
	}
}

func (b *bar) update(time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		b.bars = mpb.New(mpb.WithOutput(b.to), mpb.WithAutoRefresh(), mpb.WithRefreshRate(barEvery))
		b.bar = b.bars.New(0, mpb.BarStyle(), mpb.PrependDecorators(beside(b.Before)), mpb.AppendDecorators(beside(b.After)))
	}
	done, total := b.Count()
	b.bar.SetTotal(total, false)
	b.bar.SetCurrent(done)
}

func beside(text func(now time.Time) string) decor.Decorator {
	return decor.Any(func(decor.Statistics) string {
		if text == nil {
			return ""
		}
		return text(time.Now())
	})
}

// say writes above the bar, or to the terminal while there is none.
func (b *bar) say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bars == nil {
		sayTo(b.to, text)
		return
	}
	sayTo(b.bars, text)
}

// repeat calls do at each tick, the first time after delay and one tick, until stop is called.
// When stop has returned, no call is running.
func repeat(delay, every time.Duration, do func(now time.Time)) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		begin := time.NewTimer(delay)
		defer begin.Stop()
		select {
		case <-done:
			return
		case <-begin.C:
		}
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				do(now)
			}
		}
	}()
	return func() { close(done); <-ended }
}
