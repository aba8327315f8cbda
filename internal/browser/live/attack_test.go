package live

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"datasync/internal/browser"
)

// attacks are what a foreign page tries against a server, even with a token that it has got. Each returns what it got.
const attacks = `<!doctype html><title>evil</title><script>
const target = %q, token = %q;
const said = async (promise) => { try { const answer = await promise; return answer.type + " " + answer.status + " " + await answer.text() } catch (e) { return e.name } };
const loaded = (node) => new Promise((resolve) => { node.onload = () => resolve("loaded"); node.onerror = () => resolve("refused"); document.documentElement.append(node) });
const made = (name, members) => loaded(Object.assign(document.createElement(name), members));
const tries = {
  fetch: () => said(fetch(target + "stream", {headers: {Authorization: "Bearer " + token}})),
  noCORS: () => said(fetch(target + "stream", {mode: "no-cors"})),
  credentials: () => said(fetch(target, {credentials: "include"})),
  query: () => said(fetch(target + "query", {method: "POST", mode: "no-cors", body: '{"sql":"SELECT 1"}'})),
  withToken: () => said(fetch(target + "query", {method: "POST", headers: {Authorization: "Bearer " + token, "Content-Type": "application/json"}, body: '{"sql":"SELECT 1"}'})),
  script: () => made("script", {src: target}),
  image: () => made("img", {src: target + "stream"}),
  socket: () => new Promise((resolve) => { const s = new WebSocket(target.replace("http", "ws") + "stream"); s.onopen = () => resolve("open"); s.onerror = () => resolve("refused") }),
  frame: async () => { const f = document.createElement("iframe"); f.src = target; await loaded(f); try { return "reads " + f.contentWindow.document.title } catch (e) { return e.name } },
  form: async () => { const f = document.createElement("iframe"); f.name = "sink"; document.documentElement.append(f);
    const form = document.createElement("form"); Object.assign(form, {method: "post", action: target + "query", target: "sink", enctype: "text/plain"}); document.documentElement.append(form);
    const done = new Promise((resolve) => { f.onload = resolve }); form.submit(); await done; try { return "reads " + f.contentWindow.document.title } catch (e) { return e.name } },
};
globalThis.results = Promise.all(Object.entries(tries).map(async ([name, attempt]) => [name, await attempt()])).then(Object.fromEntries);
</script>`

// refused are the answers that tell a foreign page nothing.
var refused = map[string]string{
	"fetch": "TypeError", "noCORS": "TypeError", "credentials": "TypeError", "query": "TypeError", "withToken": "TypeError",
	"script": "refused", "image": "refused", "socket": "refused", "frame": "SecurityError", "form": "SecurityError",
}

// attack has a page on a host of this machine attack a server.
func attack(t *testing.T, b *browser.Browser, host, target, token string) {
	t.Helper()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, attacks, target, token)
	}))
	t.Cleanup(evil.Close)
	from, err := url.Parse(evil.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := b.Open(t, "http://"+host+":"+from.Port()+"/", browser.Look{Width: 1280})
	got := browser.Eval[map[string]string](t, p, "globalThis.results")
	for name, want := range refused {
		if got[name] != want {
			t.Errorf("%s from %s got %q, want %q", name, host, got[name], want)
		}
	}
}

// TestForeignPages: a page on another port of this address, and one of another site, get nothing, even with the
// token, and none of their requests reaches the data.
func TestForeignPages(t *testing.T) {
	f := newFake(t)
	b := start(t)
	attack(t, b, "127.0.0.1", f.url, f.guard.Token())
	attack(t, b, "evil.test", f.url, f.guard.Token())
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reached != 0 {
		t.Errorf("%d requests reached the data", f.reached)
	}
}

// start is a browser for which evil.test is a name of this machine.
func start(t *testing.T) *browser.Browser {
	t.Helper()
	return browser.Start(t, chromedp.Flag("host-resolver-rules", "MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"))
}

// rebind opens a server by a foreign name that resolves to it, as a site could let its own name do.
func rebind(t *testing.T, b *browser.Browser, target, token string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := b.Open(t, "http://evil.test:"+u.Port()+"/#"+token, browser.Look{Width: 1280})
	if got := browser.Eval[string](t, p, "document.body.innerText"); !strings.Contains(got, "this server answers to http://"+u.Host+" only") {
		t.Errorf("the foreign name shows %q", got)
	}
	got := browser.Eval[string](t, p, `fetch("/stream", {headers: {Authorization: "Bearer `+token+`"}}).then(answer => String(answer.status), e => e.name)`)
	if got != "421" && got != "TypeError" {
		t.Errorf("the foreign name got %q from the stream", got)
	}
}

// TestRebinding: a foreign name that resolves to this machine gets no document and no data.
func TestRebinding(t *testing.T) {
	f := newFake(t)
	rebind(t, start(t), f.url, f.guard.Token())
	if f.reached != 0 {
		t.Errorf("%d requests reached the data", f.reached)
	}
}

// TestRedirect: a file that leads to the page hands on the token.
func TestRedirect(t *testing.T) {
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "open.html")
	if err := os.WriteFile(file, []byte(`<!doctype html><meta http-equiv="refresh" content="0;url=`+f.address()+`">`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browser.Start(t).Open(t, browser.FileURL(t, file), browser.Look{Width: 1280})
	<-f.began
	// The tab has changed its process, and loses a question that came too early.
	for said := ""; said != "Pulling"; {
		said, _ = chromedp.Run(p.Context(), chromedp.Evaluate[string](`document.getElementById("state")?.innerText ?? ""`))
		if err := p.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	if got := browser.Eval[string](t, p, "location.href"); got != f.url {
		t.Errorf("the address bar has %s", got)
	}
}
