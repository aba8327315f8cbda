package app

import (
	"fmt"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// percentAfter is how long something may take before a bar shows how far it is.
const percentAfter = time.Second

// showPercent shows on a terminal how far something is that takes longer than a second,
// until stop is called. percent is negative where nothing is known.
func (p *program) showPercent(percent func() float64) (stop func()) {
	f, ok := p.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		begin := time.NewTimer(percentAfter)
		defer begin.Stop()
		select {
		case <-done:
			return
		case <-begin.C:
		}
		bars := mpb.New(mpb.WithOutput(f), mpb.WithAutoRefresh(), mpb.WithRefreshRate(barEvery))
		bar := bars.New(100, mpb.BarStyle(), mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return fmt.Sprintf(" %d %%", s.Current) })))
		tick := time.NewTicker(barEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				bar.Abort(true)
				bars.Wait()
				return
			case <-tick.C:
				// What is at its end is not done before it stands under its name.
				bar.SetCurrent(int64(min(99, max(0, percent()))))
			}
		}
	}()
	return func() { close(done); <-ended }
}
