package browser

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Look is how a page is looked at. Widths and heights are in CSS pixels; a height of 0 is 900.
type Look struct {
	Width, Height int64
	Dark          bool
	NoScripts     bool
	Print         bool // styles for paper, on a screen
}

// String names a look for a subtest or a file: "390-dark-noscript".
func (l Look) String() string {
	name := fmt.Sprintf("%d-light", l.Width)
	if l.Dark {
		name = fmt.Sprintf("%d-dark", l.Width)
	}
	if l.NoScripts {
		name += "-noscript"
	}
	if l.Print {
		name += "-print"
	}
	return name
}

// Looks are a phone, a tablet and a laptop, light and dark, with scripts and without.
func Looks() []Look {
	var all []Look
	for _, width := range []int64{390, 768, 1280} {
		for n := range 4 {
			all = append(all, Look{Width: width, Dark: n&1 != 0, NoScripts: n&2 != 0})
		}
	}
	return all
}

// Page is an open page.
type Page struct {
	ctx  context.Context
	look Look
	axe  string

	mu       sync.Mutex
	said     []string
	blocked  []string
	requests []string
}

// Open opens a URL in a tab of its own, with a storage of its own, and waits until it is loaded. The
// tab closes when the test ends.
func (b *Browser) Open(t testing.TB, address string, look Look) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &Page{ctx: ctx, look: look, axe: b.axe}
	if look.Height == 0 {
		look.Height = 900
	}
	scheme, medium := "light", ""
	if look.Print {
		medium = "print"
	}
	if look.Dark {
		scheme = "dark"
	}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("a tab for %s: %v", address, err)
	}
	err := chromedp.Do(ctx,
		chromedp.Func(enable),
		chromedp.EmulateViewport(look.Width, look.Height),
		chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Media:    medium,
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			if err != nil || !look.NoScripts {
				return err
			}
			_, err = cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return err
		}),
		chromedp.Navigate(address),
	)
	if err != nil {
		t.Fatalf("opening %s: %v", address, err)
	}
	return p
}

// enable asks for the events that a page's faults are told by.
func enable(ctx context.Context, tab *chromedp.Target) error {
	if _, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	if _, err := cdp.Call(ctx, tab, log.Enable, cdp.Empty{}); err != nil {
		return err
	}
	_, err := cdp.Call(ctx, tab, audits.Enable, cdp.Empty{})
	return err
}

// Eval evaluates JavaScript in the page and decodes its value, also where the page's scripts are off.
func Eval[T any](t testing.TB, p *Page, script string) T {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.80s: %v", script, err)
	}
	return value
}

// Await waits until an expression is true in the page. It fails the test after two minutes.
func (p *Page) Await(t testing.TB, expression string) {
	t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(2*time.Minute)))
	if err != nil {
		t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// Context is the tab's context, for chromedp's own actions.
func (p *Page) Context() context.Context { return p.ctx }

// Table is the rows of the first table of a section as text, without thousands separators.
func (p *Page) Table(t testing.TB, section string) [][]string {
	t.Helper()
	rows := Eval[[][]string](t, p, `[...(document.querySelector("#`+section+` table")?.tBodies[0].rows ?? [])].map((row) => [...row.cells].map((cell) => cell.textContent))`)
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], ",", "")
		}
	}
	return rows
}

// PNG is a picture of the whole page.
func (p *Page) PNG(t testing.TB) []byte {
	t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// PDF is the page as it is printed, on paper of the page's own size or else A4.
func (p *Page) PDF(t testing.TB) []byte {
	t.Helper()
	printed, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4),
		chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		t.Fatal(err)
	}
	return printed
}

// Requests are the URLs that the page has asked for until now, in that order.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// abroad tells whether a URL leads off this machine.
func abroad(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	switch u.Scheme {
	case "file", "data", "about":
		return false
	case "blob":
		return abroad(strings.TrimPrefix(address, "blob:"))
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}
