// Package live looks at the live page in Chromium: with a server of its own whose stream a test writes, and with the
// built program, whose figures are compared with SQL's.
package live

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"datasync/internal/browser"
	"datasync/internal/browser/program"
	"datasync/internal/web/page"
)

func TestMain(m *testing.M) { program.Main(m) }

var pictures = flag.String("pictures", "", "a folder to write a picture of each look into")

// picture writes what a page looks like, where the flag asks for it.
func picture(t *testing.T, p *browser.Page, name string) {
	t.Helper()
	if *pictures == "" {
		return
	}
	browser.Eval[bool](t, p, `(() => { scrollTo(0, 0); return true })()`)
	if err := os.WriteFile(filepath.Join(*pictures, name+".png"), p.PNG(t), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keys presses keys where the focus is.
func keys(t *testing.T, p *browser.Page, text string, options ...chromedp.KeyOption) {
	t.Helper()
	if err := chromedp.Do(p.Context(), chromedp.KeyEvent(text, options...)); err != nil {
		t.Fatal(err)
	}
}

// text is what an element of an id shows.
func text(t *testing.T, p *browser.Page, id string) string {
	t.Helper()
	return browser.Eval[string](t, p, `document.getElementById("`+id+`").innerText.replaceAll("\u00a0", " ")`)
}

// shows waits until an element has a text.
func shows(t *testing.T, p *browser.Page, id, want string) {
	t.Helper()
	p.Await(t, `document.getElementById("`+id+`").innerText.replaceAll("\u00a0", " ").includes(`+quoted(want)+`)`)
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// write puts a statement into the box as a person does.
func write(t *testing.T, p *browser.Page, statement string) {
	t.Helper()
	browser.Eval[bool](t, p, `(() => { const box = document.getElementById("statement"); box.focus(); box.value = ""; return true })()`)
	keys(t, p, statement)
}

var looks = []browser.Look{{Width: 1280}, {Width: 1280, Dark: true}, {Width: 768}, {Width: 768, Dark: true}, {Width: 390}, {Width: 390, Dark: true}}

// TestLooks: no look of the page has a fault in any state of a pull: nothing overlaps, is cut, scrolls
// sideways, is written to the console, or is a violation for the policy or for axe-core.
func TestLooks(t *testing.T) {
	b := browser.Start(t)
	for _, look := range looks {
		t.Run(look.String(), func(t *testing.T) {
			f := newFake(t)
			f.charts()
			f.Query = func(*http.Request, object) any { return rows() }
			p := b.Open(t, f.address(), look)
			p.Await(t, `document.querySelectorAll("#sections > section").length === 3`)
			shows(t, p, "percent", "63 %")
			write(t, p, "FROM pages")
			keys(t, p, kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl))
			shows(t, p, "outcome", "4 rows · 0.04 s · as of batch 184")
			p.Clean(t)
			picture(t, p, "pulling-"+look.String())

			f.Query = func(*http.Request, object) any {
				return object{"error": object{"text": `Binder Error: Referenced column "brwser" not found in FROM clause! Candidate bindings: "browser"`,
					"excerpt": "LINE 1: SELECT brwser, count(*), and, many, more, columns, that, make, a, line, longer, than, any, box FROM events GROUP BY 1\n               ^"}}
			}
			keys(t, p, kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl))
			shows(t, p, "result", "brwser")
			f.show(pulling().with("state", "ended", "exit", 4, "percent", 71,
				"endpoints", []object{{"name": "events endpoint", "state": "failing", "reason": "503 for 2 min 5 s: upstream is gone", "events": 82846}, {"name": "feed", "state": "waiting", "reason": "rate limit, opens 19:41:10", "events": 114406}}))
			shows(t, p, "state", "Ended, exit 4")
			if browser.Eval[bool](t, p, `document.getElementById("left").checkVisibility() || document.getElementById("jump").offsetTop > document.getElementById("state").offsetTop + 9`) {
				t.Error("a pull that has ended has time left, or the bar needs another row")
			}
			p.Clean(t)
			picture(t, p, "failed-"+look.String())
		})
	}
}

// valid validates the document of a page as it is now, without what the Nu checker does not know: the property
// field-sizing, and ARIA 1.2's aria-activedescendant of a textbox with aria-controls.
func valid(t *testing.T, p *browser.Page) {
	t.Helper()
	html := browser.Eval[string](t, p, `(() => {
		const copy = document.documentElement.cloneNode(true);
		for (const name of ["style", "aria-activedescendant"]) copy.querySelector("#statement").removeAttribute(name);
		return "<!doctype html>" + copy.outerHTML;
	})()`)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	browser.Valid(t, file)
}

// TestValidHTML: the Nu checker finds no error in the document, before it has figures and with a result or a list of
// completions, and nothing to warn of.
func TestValidHTML(t *testing.T) {
	f := newFake(t)
	f.charts()
	f.Query = func(*http.Request, object) any { return rows() }
	f.Complete = func(_ *http.Request, body object) any {
		return object{"from": 5, "items": []string{"pages", "page_log"}}
	}
	file := filepath.Join(t.TempDir(), "document.html")
	if err := os.WriteFile(file, page.New(styles(t)).HTML, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("document", func(t *testing.T) { browser.Valid(t, file) })
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	p.Await(t, `document.querySelectorAll("#sections > section").length === 3`)
	write(t, p, "FROM pages")
	keys(t, p, kb.Enter, control)
	shows(t, p, "outcome", "4 rows")
	write(t, p, "FROM pa")
	p.Await(t, `!document.getElementById("completions").hidden`)
	t.Run("figures", func(t *testing.T) { valid(t, p) })
}

// TestIdle: without a pull the page shows the file.
func TestIdle(t *testing.T) {
	f := newFake(t)
	f.show(object{"kind": "state", "state": "idle", "badge": object{"tone": "good", "text": "Complete as of Tue 27 Jan 2026, 19:20:12 UTC"}, "file": "events.duckdb", "batch": 313,
		"clock": "2026-01-28T08:00:00Z", "events": 310987, "total": nil, "percent": nil, "rate": nil, "left_s": nil, "done_at": nil, "endpoints": []object{}, "shards": []object{}})
	for _, look := range []browser.Look{{Width: 1280}, {Width: 390, Dark: true}} {
		p := browser.Start(t).Open(t, f.address(), look)
		shows(t, p, "state", "Idle")
		if got := text(t, p, "badge") + ", " + text(t, p, "percent") + " " + text(t, p, "events"); got != "Complete, 310,987 events" {
			t.Errorf("the page shows %q", got)
		}
		p.Clean(t)
		picture(t, p, "idle-"+look.String())
	}
}

// TestStale: when no news come, the page says so and keeps its figures; it connects again, with the token, when
// the stream breaks off.
func TestStale(t *testing.T) {
	f := newFake(t)
	f.charts()
	b := browser.Start(t)
	p := b.Open(t, f.address(), browser.Look{Width: 1280})
	phone := b.Open(t, f.address(), browser.Look{Width: 390, Dark: true})
	shows(t, p, "age", "updated")
	shows(t, phone, "age", "0 s ago")
	f.silence(true)
	shows(t, p, "age", "no news for 4 s")
	picture(t, p, "quiet")
	p.Await(t, `document.body.classList.contains("stale")`)
	phone.Await(t, `document.body.classList.contains("stale")`)
	phone.Clean(t)
	picture(t, phone, "stale-390")
	p.Await(t, `document.body.classList.contains("stale")`)
	picture(t, p, "stale")
	if got := text(t, p, "events"); got != "197,252 of about 311,005 events" {
		t.Errorf("the page shows %q", got)
	}
	p.Clean(t)
	amber := `getComputedStyle(document.querySelector("#days .chip")).color === getComputedStyle(document.getElementById("age")).color`
	if !browser.Eval[bool](t, p, amber) {
		t.Error("the charts' chips are not amber")
	}
	f.silence(false)
	shows(t, p, "age", "updated")
	p.Await(t, `!document.body.classList.contains("stale")`)
	shows(t, p, "announcement", "Connected again")

	f.drop(false)
	f.show(pulling().with("batch", 185))
	shows(t, p, "batch", "batch 185")
	if f.begun() < 2 {
		t.Error("the page did not connect again")
	}
}

// TestEnd: the page says how the pull ended, keeps its figures, and asks no more of a server that is gone.
func TestEnd(t *testing.T) {
	b := browser.Start(t)
	good, caution := object{"tone": "good", "text": "Complete as of Tue 27 Jan 2026, 19:27:12 UTC"}, object{"tone": "warn", "text": "Incomplete: run datasync pull"}
	for want, test := range map[string]struct {
		exit  any
		badge object
	}{
		"Ended, complete":   {0, good},
		"Ended, incomplete": {0, caution},
		"Ended, exit 4":     {4, caution},
		"Ended, exit 130":   {130, caution},
		"Ended":             {nil, caution},
	} {
		t.Run(want, func(t *testing.T) {
			f := newFake(t)
			f.charts()
			p := b.Open(t, f.address(), browser.Look{Width: 1280})
			shows(t, p, "state", "Pulling")
			short, _, _ := strings.Cut(strings.Fields(test.badge["text"].(string))[0], ":")
			f.silence(true)
			f.show(object{"kind": "state", "state": "ended", "exit": test.exit, "badge": test.badge, "file": "events.duckdb", "batch": nil, "clock": "2026-01-27T19:27:12Z",
				"events": nil, "total": nil, "percent": nil, "rate": nil, "left_s": nil, "endpoints": []object{}, "shards": []object{}})
			shows(t, p, "announcement", want+", "+short)
			f.drop(true)
			shows(t, p, "outcome", "This server has ended")
			if got := text(t, p, "state"); got != want {
				t.Errorf("the state is %q, want %q", got, want)
			}
			share := "63 %"
			if test.exit == 0 && test.badge["tone"] == "good" {
				share = "100 %"
			}
			if got := text(t, p, "percent") + " " + text(t, p, "events"); got != share+" 197,252 of about 311,005 events" {
				t.Errorf("the page shows %q", got)
			}
			if !browser.Eval[bool](t, p, `document.getElementById("age").hidden`) {
				t.Error("the page says how old news are that will not come")
			}
			streams := 0
			for _, address := range p.Requests() {
				if strings.HasSuffix(address, "/stream") {
					streams++
				}
			}
			if streams != 1 {
				t.Errorf("%d requests for the stream, want 1", streams)
			}
			p.Clean(t)
		})
	}
}

// TestKeeps: a section that changes keeps what its reader did: the open table, its scrolling, the focus, and the
// place on the page.
func TestKeeps(t *testing.T) {
	f := newFake(t)
	f.charts()
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	p.Await(t, `document.querySelectorAll("#sections > section").length === 3`)
	place := browser.Eval[[]float64](t, p, `(() => {
		const details = document.querySelector("#days details");
		details.open = true;
		details.querySelector(".scroll").scrollTop = 120;
		details.querySelector(".scroll").focus({preventScroll: true});
		document.querySelector("#pages").scrollIntoView();
		globalThis.kept = details;
		return [scrollY, document.querySelector("#pages").getBoundingClientRect().top];
	})()`)
	f.section("rate", ratePart(7), "batch 185 · live", "order", 0)
	f.section("days", daysPart(13999, ""), "batch 185 · live", "order", 1)
	p.Await(t, `document.querySelector("#days h2").textContent.includes("13,999")`)
	if !browser.Eval[bool](t, p, `document.querySelector("#days details") === kept && kept.open && kept.querySelector(".scroll").scrollTop === 120 && document.activeElement === kept.querySelector(".scroll")`) {
		t.Error("the open table was not kept")
	}
	if got := browser.Eval[[]float64](t, p, `[scrollY, document.querySelector("#pages").getBoundingClientRect().top]`); got[0] != place[0] || got[1] != place[1] {
		t.Errorf("the page moved from %v to %v", place, got)
	}
	if got := browser.Eval[string](t, p, `document.querySelector("#days .chip").textContent`); got != "batch 185 · live" {
		t.Errorf("the chip is %q", got)
	}
	if got := browser.Eval[string](t, p, `[...document.querySelectorAll("#sections > section")].map(s => s.id).join()`); got != "rate,days,pages" {
		t.Errorf("the order of sections is %s", got)
	}
	f.send(object{"kind": "chip", "id": "pages", "chip": "as of batch 171 · 49 s ago"})
	p.Await(t, `document.querySelector("#pages .chip").textContent === "as of batch 171 · 49 s ago"`)
	if browser.Eval[bool](t, p, `document.querySelector(".late") !== null`) {
		t.Error("a section is late")
	}
	f.show(pulling().with("clock", "2026-01-27T19:25:41Z"))
	p.Await(t, `[...document.querySelectorAll(".late")].map(c => c.textContent).join() === "as of batch 171 · 49 s ago"`)
	f.show(pulling().with("clock", "2026-01-27T19:25:41Z", "batch", 171)) // nothing is newer
	p.Await(t, `document.querySelector(".late") === null`)
	p.Clean(t)
	// A section that the server cannot draw again keeps its drawing, with a mark.
	broken := "the page cannot draw the section days: no such row at stack.go:12"
	f.show(pulling().with("trouble", broken))
	f.send(object{"kind": "chip", "id": "days", "chip": "batch 185 · stale", "stale": true})
	p.Await(t, `[...document.querySelectorAll(".late")].map(c => c.textContent).join() === "batch 185 · stale"`)
	shows(t, p, "message", broken)
	p.Clean(t)
	f.send(object{"kind": "chip", "id": "days", "chip": "batch 186 · live", "stale": false})
	p.Await(t, `document.querySelector(".late") === null`)
	f.show(pulling().with("clock", "2026-01-27T19:25:42Z"))
	p.Await(t, `document.querySelector(".late") !== null`)
	f.send(object{"kind": "chip", "id": "pages", "chip": "batch 184", "batch": 184, "live": false}) // read again, and the same
	p.Await(t, `document.querySelector(".late") === null`)
	p.Clean(t)
}

// TestStill: while figures, waits and reasons change, nothing on the page moves at any width.
func TestStill(t *testing.T) {
	b := browser.Start(t)
	for _, width := range []int64{1280, 768, 390} {
		look := browser.Look{Width: width, Height: 3000}
		t.Run(look.String(), func(t *testing.T) {
			f := newFake(t)
			f.charts()
			p := b.Open(t, f.address(), look)
			p.Await(t, `document.querySelectorAll("#sections > section").length === 3`)
			shows(t, p, "percent", "63 %")
			browser.Eval[bool](t, p, `document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => {
				globalThis.moved = [];
				globalThis.watch = new PerformanceObserver(list => { for (const e of list.getEntries()) moved.push(...e.sources.map(s => (s.node?.id || s.node?.className || s.node?.nodeName) + " " + JSON.stringify(s.previousRect) + " " + JSON.stringify(s.currentRect))) });
				watch.observe({type: "layout-shift"});
				return true;
			})`)
			endpoints := pulling()["endpoints"].([]object)
			for i, state := range []object{
				pulling().with("state", "waiting", "rate", nil, "left_s", nil, "done_at", nil, "clock", "2026-01-27T19:24:59Z"),
				pulling().with("events", 1297252, "percent", 100, "rate", 12345, "left_s", 93784, "batch", 1185, "clock", "2026-01-27T19:25:00Z"),
				pulling().with("events", 7, "percent", 0, "rate", 1, "left_s", 1, "shards", []object{{"number": 1, "events": 7}},
					"endpoints", []object{endpoints[0].with("state", "open", "reason", "", "left_s", nil), endpoints[1].with("state", "failing", "reason", "503, tried again in 4 s", "left_s", 4)}),
			} {
				f.section("rate", ratePart(i+1), "batch 185 · live", "order", 0)
				f.section("days", daysPart(int64(12900+100*i), ""), "batch 185 · live", "order", 1)
				f.show(state)
				p.Await(t, `document.querySelector("#days h2").textContent.includes("`+[]string{"12,900", "13,000", "13,100"}[i]+`")`)
				shows(t, p, "events", []string{"197,252", "1,297,252", "7 of"}[i])
			}
			if moved := browser.Eval[[]string](t, p, `new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame)).then(() => { for (const e of watch.takeRecords()) moved.push(e.value); return moved.map(String) })`); len(moved) > 0 {
				t.Errorf("moved:\n%s", strings.Join(moved, "\n"))
			}
		})
	}
}

// TestHidden: a hidden page draws no charts until it is shown again, but its title goes on.
func TestHidden(t *testing.T) {
	f := newFake(t)
	f.charts()
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	p.Await(t, `document.querySelectorAll("#sections > section").length === 3`)
	hide := func(hidden bool) {
		browser.Eval[bool](t, p, fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %t, configurable: true}) && document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	hide(true)
	f.section("days", daysPart(12900, ""), "batch 185 · live", "order", 1)
	f.section("days", daysPart(13999, ""), "batch 186 · live", "order", 1)
	f.send(object{"kind": "chip", "id": "days", "chip": "batch 187 · live"})
	f.show(pulling().with("percent", 64))
	p.Await(t, `document.title === "64 % · events.duckdb"`)
	seen := `document.querySelector("#days h2").textContent.match(/[\d,]+$/)[0] + " " + document.querySelector("#days .chip").textContent`
	if got := browser.Eval[string](t, p, seen); got != "12,804 batch 184 · live" {
		t.Errorf("the hidden page drew %s", got)
	}
	hide(false)
	if got := browser.Eval[string](t, p, seen); got != "13,999 batch 187 · live" {
		t.Errorf("the page shows %s", got)
	}
}

// TestZone: times are in the time zone of the charts.
func TestZone(t *testing.T) {
	f := newFake(t)
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	shows(t, p, "clock", "Tue 27 Jan 19:24:58 UTC")
	for zone, want := range map[string]string{"Asia/Kolkata": "Wed 28 Jan 00:54:59 GMT+5:30", "Europe/Berlin": "Tue 27 Jan 20:24:59 CET", "No/Where": "Tue 27 Jan 19:24:59 UTC"} {
		f.show(pulling().with("clock", "2026-01-27T19:24:59Z", "zone", "UTC"))
		shows(t, p, "clock", "19:24:59 UTC")
		f.show(pulling().with("clock", "2026-01-27T19:24:59.0Z", "zone", zone))
		shows(t, p, "clock", want)
	}
	shows(t, p, "left", "done near")
}
