package term

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	barEvery   = 150 * time.Millisecond
	eventEvery = 250 * time.Millisecond
	lineEvery  = 10 * time.Second
)

// Progress describes how far something is. Its functions are called from other goroutines.
type Progress struct {
	// Delay is the time before anything is shown.
	Delay time.Duration
	// Bar returns what the bar shows on a terminal.
	Bar func(now time.Time) Bar
	// Line returns the line to print every ten seconds if stderr is not a terminal, or one without escape
	// sequences. If it is nil, nothing is printed then.
	Line func(now time.Time) string
	// Event returns a line that is due now, or "". It is called four times a second if Line is in use. Nil
	// means that no such line is ever due.
	Event func(now time.Time) string
}

// Show shows progress on stderr until stop is called: a bar on a terminal, lines elsewhere. Until then,
// messages must go through say, because the bar redraws its line; afterwards they may. stop must be called
// once. After it has returned, the bar is gone, and only messages are written.
func (t IO) Show(p Progress) (say func(text string), stop func()) {
	if t.obeys(t.Stderr) {
		f, _ := terminal(t.Stderr)
		b := &bar{Progress: p, to: f, style: t.Style(f)}
		return b.say, b.follow()
	}
	l := &lines{Progress: p, to: t.Stderr}
	if p.Line == nil {
		return l.say, func() {}
	}
	stopLines, stopEvents := repeat(p.Delay, lineEvery, func(now time.Time) { l.say(p.Line(now)) }), func() {}
	if p.Event != nil {
		stopEvents = repeat(p.Delay, eventEvery, l.event)
	}
	return l.say, func() { stopLines(); stopEvents() }
}

// lines shows progress as lines of text.
type lines struct {
	Progress
	mu sync.Mutex // held while a line is written
	to io.Writer
}

// event prints the line that is due now, if there is one.
func (l *lines) event(now time.Time) {
	if text := l.Event(now); text != "" {
		l.say(text)
	}
}

func (l *lines) say(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, said(text, widthOf(l.to)))
}

const (
	// clear erases the line with the cursor and all below. It also erases the ^C that a terminal shows for
	// Ctrl-C. The line is erased first: if it is the window's first row, tmux moves the rows that the second
	// sequence erases into its scrollback.
	clear = "\r\x1b[K\x1b[J"
	// unwrapped begins a line that the terminal cuts, and wrapped ends it. A window may become narrower before
	// this process sees that, and a wrapped line could not be erased.
	unwrapped, wrapped = "\r\x1b[?7l", "\x1b[J\x1b[?7h\r"
)

// bar shows progress as a bar on a terminal.
//
// The cursor rests at the start of the bar's line. When the window becomes narrower, the terminal may wrap the
// line. The cursor then remains in its first row, so that clear erases all of it.
type bar struct {
	Progress
	to    *os.File
	style Style

	mu        sync.Mutex // held while something is written
	shown     bool
	suspended bool // at least once
}

// follow draws the bar until stop is called.
func (b *bar) follow() (stop func()) {
	letGo := clearWhenSuspended(b)
	if b.Delay == 0 {
		b.draw(time.Now())
	}
	stopDrawing := repeat(b.Delay, barEvery, b.draw)
	return func() {
		stopDrawing()
		letGo()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.erase()
	}
}

// erase removes the bar from the screen. b.mu is held.
func (b *bar) erase() {
	if b.shown {
		_, _ = b.to.WriteString(clear)
		b.shown = false
	}
}

// suspend stops the process without the bar on the screen, and returns when it is continued.
func (b *bar) suspend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erase()
	b.suspended = true
	stopSelf()
}

// inBackground reports whether the process was continued in the background: the line of the cursor is the
// shell's.
func (b *bar) inBackground() bool {
	if !b.suspended {
		return false // the command timeout, for example, runs its command in a group that is in the background
	}
	group, err := unix.IoctlGetInt(int(b.to.Fd()), unix.TIOCGPGRP)
	return err == nil && group != unix.Getpgrp()
}

// line returns the line to show. It reads the window's size each time, because that may change.
func (b *bar) line(now time.Time) string {
	columns := widthOf(b.to)
	if columns == 0 {
		columns = 80
	}
	return b.Bar(now).line(now, columns, b.style)
}

func (b *bar) draw(now time.Time) {
	line := b.line(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inBackground() {
		return
	}
	b.shown = true
	_, _ = b.to.WriteString(unwrapped + line + wrapped)
}

// say writes above the bar.
func (b *bar) say(text string) {
	text, line := said(text, widthOf(b.to)), b.line(time.Now())
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.inBackground() {
		text = clear + text
	}
	if b.shown {
		text += unwrapped + line + wrapped
	}
	_, _ = b.to.WriteString(text)
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
