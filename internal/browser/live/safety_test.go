package live

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"datasync/internal/browser"
)

const noToken = "no valid token: open the URL that datasync printed"

// asked tells whether a page has asked for data.
func asked(p *browser.Page) bool {
	return slices.ContainsFunc(p.Requests(), func(address string) bool { return strings.HasSuffix(address, "/stream") })
}

// TestToken: the token leaves the address bar and survives a reload. Without one the page asks for nothing; with a
// wrong one it says what to do, and it takes a new URL in the same tab.
func TestToken(t *testing.T) {
	f := newFake(t)
	b := browser.Start(t)
	p := b.Open(t, f.address(), browser.Look{Width: 1280})
	shows(t, p, "state", "Pulling")
	if got := browser.Eval[string](t, p, "location.href"); got != f.url {
		t.Errorf("the address bar has %s", got)
	}
	browser.Eval[bool](t, p, "(() => { location.hash = '#days'; return true })()") // a link within the page is no token
	if err := chromedp.Do(p.Context(), chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	shows(t, p, "state", "Pulling")
	p.Clean(t)

	stolen := b.Open(t, f.url, browser.Look{Width: 390})
	shows(t, stolen, "notice", noToken)
	if asked(stolen) {
		t.Error("the page without a token asked for data")
	}
	stolen.Clean(t)
	picture(t, stolen, "refused")

	wrong := b.Open(t, f.url+"#"+strings.Repeat("x", 43), browser.Look{Width: 1280})
	shows(t, wrong, "notice", noToken)
	browser.Eval[bool](t, wrong, "(() => { location.hash = '#"+f.guard.Token()+"'; return true })()")
	shows(t, wrong, "state", "Pulling")
	if text(t, wrong, "notice") != "" || browser.Eval[string](t, wrong, "location.hash") != "" {
		t.Error("the page with a new token still shows the notice, or the token")
	}
}

const hostile = `<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=2</script>`

// TestHostile: text of events, of results and of errors stays text. Markup that is no section of a report is
// refused, and a script in one never runs.
func TestHostile(t *testing.T) {
	f := newFake(t)
	f.section("days", daysPart(12804, hostile), hostile)
	f.section("pages", pagesPart("/home", hostile, "/\u202egpj.exe", ""), "live")
	state := pulling().with("file", hostile, "trouble", hostile, "badge", object{"tone": "warn", "text": hostile},
		"endpoints", []object{{"name": hostile, "state": hostile, "reason": hostile, "events": 1, "left_s": 3}})
	f.show(state)
	f.Query = func(*http.Request, object) any {
		return object{"columns": []object{{"name": hostile, "type": hostile}}, "rows": [][]any{{hostile}, {"/\u202egpj.exe"}}, "more": true, "took_s": 1.0, "batch": 1}
	}
	f.Complete = func(*http.Request, object) any { return object{"from": 7, "items": []string{hostile}} }
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	p.Await(t, `document.querySelectorAll("#sections > section").length === 2`)
	write(t, p, "SELECT p")
	p.Await(t, `!document.getElementById("completions").hidden`)
	keys(t, p, kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	shows(t, p, "outcome", "the first 2 rows · 1.00 s · as of batch 1")
	shows(t, p, "result", `/\u202egpj.exe`)
	picture(t, p, "hostile")
	f.Query = func(*http.Request, object) any { return object{"error": object{"text": hostile, "excerpt": hostile}} }
	keys(t, p, kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	shows(t, p, "result", hostile)
	shows(t, p, "history", "History")
	for _, where := range []string{"img", "main script", "[onerror]"} {
		if browser.Eval[bool](t, p, `document.querySelector(`+quoted(where)+`) !== null`) {
			t.Errorf("the page has an element %s", where)
		}
	}
	p.Clean(t)

	f.section("evil", hostile, "")
	f.section("days", `<section class="part" id="days"><p class="rail">`+hostile+`</p></section>`, "evil")
	p.Await(t, `document.querySelector("#days .chip")?.textContent === "evil"`)
	if browser.Eval[bool](t, p, `globalThis.hit !== undefined`) || browser.Eval[bool](t, p, `document.querySelector("#sections > img") !== null`) {
		t.Error("a script of the stream ran, or what is no section was shown")
	}
	if f.begun() != 1 {
		t.Error("a bad message ended the stream")
	}
}
