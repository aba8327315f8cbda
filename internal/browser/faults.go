package browser

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// MinText is the smallest size of a label, in CSS pixels.
const MinText = 11

//go:embed faults.js
var faultsScript string

// hear keeps what the browser reports of the page.
func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *network.EventWebSocketCreated:
		p.requests = append(p.requests, e.URL)
	case *runtime.EventConsoleAPICalled:
		said := string(e.Type) + ":"
		for _, arg := range e.Args {
			said += " " + cmpText(string(arg.Value), arg.Description)
		}
		p.said = append(p.said, said)
	case *runtime.EventExceptionThrown:
		said := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			said += " " + e.ExceptionDetails.Exception.Description
		}
		p.said = append(p.said, said)
	case *log.EventEntryAdded:
		p.said = append(p.said, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			p.blocked = append(p.blocked, fmt.Sprintf("%s %s %s", csp.ViolatedDirective, csp.ContentSecurityPolicyViolationType, csp.BlockedURL))
		}
	}
}

func cmpText(value, description string) string {
	if value != "" {
		return value
	}
	return description
}

// Console returns what the page, or the browser about it, has written to the console until now.
func (p *Page) Console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

// Blocked returns the violations of the page's Content-Security-Policy until now.
func (p *Page) Blocked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.blocked)
}

// Faults returns everything that is wrong with the page now, each with its kind in front: console, csp,
// request, sideways, overlap, cut, small and, unless scripts are off, axe.
func (p *Page) Faults(t testing.TB) []string {
	t.Helper()
	faults := p.Layout(t)
	if !p.look.NoScripts {
		faults = append(faults, p.Axe(t)...)
	}
	for _, said := range p.Console() {
		faults = append(faults, "console: "+said)
	}
	for _, blocked := range p.Blocked() {
		faults = append(faults, "csp: "+blocked)
	}
	for _, address := range p.Requests() {
		if abroad(address) {
			faults = append(faults, "request: "+address)
		}
	}
	return faults
}

// Clean fails the test for each fault of the page.
func (p *Page) Clean(t testing.TB) {
	t.Helper()
	for _, fault := range p.Faults(t) {
		t.Error(fault)
	}
}

// Layout returns the faults in the places of things: the page scrolls sideways, labels of one
// drawing overlap, a label is cut by the edge of its drawing or by a box around it, or is smaller than
// [MinText].
func (p *Page) Layout(t testing.TB) []string {
	t.Helper()
	return Eval[[]string](t, p, fmt.Sprintf("(%s)(%d)", strings.TrimSpace(faultsScript), MinText))
}

// Axe returns the violations that axe-core finds, each with its rule and up to three places.
func (p *Page) Axe(t testing.TB) []string {
	t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](p.axe+"\n;undefined")); err != nil {
		t.Fatalf("axe-core: %v", err)
	}
	return Eval[[]string](t, p, `axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(v =>
		"axe: " + v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + n.html.slice(0, 120)).join("; ")))`)
}
