package live

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"datasync/internal/browser"
)

var control = chromedp.KeyModifiers(chromedp.ModifierCtrl)

func value(t *testing.T, p *browser.Page) string {
	t.Helper()
	return browser.Eval[string](t, p, `document.getElementById("statement").value`)
}

// TestQuery: a statement runs by Ctrl-Enter, its rows come as a table, and its history is kept without results.
func TestQuery(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	var asked []string
	f.Query = func(_ *http.Request, body object) any {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, body["sql"].(string))
		return rows()
	}
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	shows(t, p, "state", "Pulling")
	write(t, p, "SELECT 1\r;")
	keys(t, p, kb.Enter, control)
	shows(t, p, "outcome", "4 rows · 0.04 s · as of batch 184")
	type cell struct{ Text, Align, Style string }
	got := browser.Eval[[]cell](t, p, `[...document.querySelectorAll("#result tr:nth-child(4) td, #result th")].map(c => ({Text: c.textContent, Align: getComputedStyle(c).textAlign, Style: getComputedStyle(c).fontStyle}))`)
	want := []cell{{"page", "left", "normal"}, {"events", "right", "normal"}, {"errors", "right", "normal"}, {"NULL", "left", "italic"}, {"16285", "right", "normal"}, {"688", "right", "normal"}}
	if len(got) != len(want) {
		t.Fatalf("cells: %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("cell %d is %v, want %v", i, got[i], want[i])
		}
	}
	write(t, p, "SELECT 2")
	browser.Eval[bool](t, p, `(() => { document.getElementById("run").click(); return true })()`)
	p.Await(t, `document.querySelector("#history summary").textContent === "History: 2 statements"`)
	mu.Lock()
	if len(asked) != 2 || asked[0] != "SELECT 1\n;" || asked[1] != "SELECT 2" {
		t.Errorf("asked: %q", asked)
	}
	mu.Unlock()
	if err := chromedp.Do(p.Context(), chromedp.Reload()); err != nil {
		t.Fatal(err)
	}
	shows(t, p, "state", "Pulling")
	write(t, p, "draft")
	keys(t, p, kb.Escape+kb.Home+kb.ArrowUp)
	first := value(t, p)
	keys(t, p, kb.ArrowUp)
	second := value(t, p)
	keys(t, p, kb.ArrowUp)
	third := value(t, p)
	keys(t, p, kb.Escape, control)
	browser.Eval[bool](t, p, `(() => { const box = document.getElementById("statement"); box.setSelectionRange(99, 99); return true })()`)
	keys(t, p, kb.ArrowDown+kb.ArrowDown)
	if last := value(t, p); first != "SELECT 2" || second != "SELECT 1\n;" || third != second || last != "draft" {
		t.Errorf("history: %q, %q, %q, %q", first, second, third, last)
	}
	if browser.Eval[bool](t, p, `JSON.stringify(sessionStorage).includes("16285")`) {
		t.Error("a result is kept")
	}
	p.Clean(t)
}

// TestCompletion: the list opens while one types, and takes its keys; the server counts bytes.
func TestCompletion(t *testing.T) {
	f := newFake(t)
	f.Complete = func(_ *http.Request, body object) any {
		text, at := body["text"].(string), int(body["at"].(float64))
		if text[:at] != "SELECT 'ä', pro" {
			return object{"from": 0, "items": []string{}}
		}
		return object{"from": at - 3, "items": []string{"properties", "profile", "product"}}
	}
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 768})
	shows(t, p, "state", "Pulling")
	open := `!document.getElementById("completions").hidden`
	chosen := func() string {
		return browser.Eval[string](t, p, `document.getElementById(document.getElementById("statement").getAttribute("aria-activedescendant")).textContent`)
	}
	write(t, p, "SELECT 'ä', pro")
	p.Await(t, open)
	if got := chosen(); got != "properties" {
		t.Errorf("chosen: %q", got)
	}
	p.Clean(t)
	picture(t, p, "completion")
	keys(t, p, kb.ArrowDown)
	if got := chosen(); got != "profile" {
		t.Errorf("after down: %q", got)
	}
	keys(t, p, kb.ArrowUp+kb.ArrowUp)
	if got := chosen(); got != "product" {
		t.Errorf("after up, up: %q", got)
	}
	keys(t, p, kb.Escape)
	if browser.Eval[bool](t, p, open) {
		t.Error("Escape leaves the list open")
	}
	keys(t, p, " ", control)
	p.Await(t, open)
	keys(t, p, kb.ArrowDown+kb.Tab)
	if got := value(t, p); got != "SELECT 'ä', profile" || browser.Eval[bool](t, p, open) {
		t.Errorf("after Tab: %q", got)
	}
	keys(t, p, kb.Tab)
	if got := browser.Eval[string](t, p, "document.activeElement.id"); got != "run" {
		t.Errorf("Tab without a list leads to %q", got)
	}
}

// TestCancel: one statement runs at a time, and Cancel ends its request on the server.
func TestCancel(t *testing.T) {
	f := newFake(t)
	began, ended := make(chan bool, 9), make(chan bool, 9)
	f.Query = func(r *http.Request, _ object) any {
		began <- true
		<-r.Context().Done()
		ended <- true
		return object{}
	}
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	shows(t, p, "state", "Pulling")
	write(t, p, "SELECT 1")
	keys(t, p, kb.Enter, control)
	<-began
	shows(t, p, "outcome", "running")
	keys(t, p, kb.Enter, control) // the second is not sent
	p.Clean(t)
	browser.Eval[bool](t, p, `(() => { document.getElementById("cancel").click(); return true })()`)
	<-ended
	shows(t, p, "outcome", "cancelled")
	if len(began) != 0 {
		t.Error("two statements ran at a time")
	}
	keys(t, p, kb.Enter, control)
	<-began
	shows(t, p, "outcome", "running")
	keys(t, p, kb.Escape)
	<-ended
	shows(t, p, "outcome", "cancelled")
}

// TestDownload: a download goes to a path that works once, without the token, and a refusal is shown in place.
func TestDownload(t *testing.T) {
	f := newFake(t)
	given := make(chan http.Header, 9)
	f.Download = func(_ *http.Request, body object) any {
		if body["format"] != "csv" || body["sql"] != "SELECT 1" {
			return object{"error": object{"text": "Parser Error: no", "excerpt": "LINE 1"}}
		}
		path, _ := f.guard.Ticket(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			given <- r.Header
			w.Header().Set("Content-Disposition", `attachment; filename="result.csv"`)
			_, _ = io.WriteString(w, "a\n1\n")
		}), func() {})
		return object{"path": path}
	}
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 1280})
	shows(t, p, "state", "Pulling")
	write(t, p, "SELECT 1")
	browser.Eval[bool](t, p, `(() => { document.getElementById("csv").click(); return true })()`)
	header := <-given
	if header.Get("Sec-Fetch-Site") != "same-origin" || header.Get("Authorization") != "" || header.Get("Referer") != "" {
		t.Errorf("the download was asked for with %v", header)
	}
	shows(t, p, "outcome", "CSV")
	browser.Eval[bool](t, p, `(() => { document.getElementById("parquet").click(); return true })()`)
	shows(t, p, "result", "Parser Error: no")
	if got := browser.Eval[string](t, p, "location.href"); got != f.url {
		t.Errorf("the page went to %s", got)
	}
}

// TestManyRows: ten thousand rows are laid out as the reader comes to them, each once.
func TestManyRows(t *testing.T) {
	f := newFake(t)
	f.Query = func(*http.Request, object) any {
		answer := object{"columns": []object{{"name": "n", "type": "BIGINT", "number": true}}, "more": true, "took_s": 0.2, "batch": 184}
		all := make([][]any, 10000)
		for i := range all {
			all[i] = []any{strconv.Itoa(i)}
		}
		answer["rows"] = all
		return answer
	}
	p := browser.Start(t).Open(t, f.address(), browser.Look{Width: 390})
	shows(t, p, "state", "Pulling")
	write(t, p, "SELECT n")
	keys(t, p, kb.Enter, control)
	shows(t, p, "outcome", "the first 10,000 rows")
	if n := browser.Eval[int](t, p, `document.querySelectorAll("#result tbody tr").length`); n < 1 || n >= 10000 {
		t.Errorf("%d rows are laid out at once", n)
	}
	browser.Eval[bool](t, p, `(() => { globalThis.down = setInterval(() => { const box = document.querySelector("#result .scroll"); box.scrollTop = box.scrollHeight }, 20); return true })()`)
	p.Await(t, `document.querySelectorAll("#result tbody tr").length === 10000`)
	if got := browser.Eval[string](t, p, `(() => { clearInterval(down); return [...document.querySelectorAll("#result tbody tr")].map(r => r.textContent).filter((text, i) => text !== String(i)).join() })()`); got != "" {
		t.Errorf("rows out of order: %.80s", got)
	}
}
