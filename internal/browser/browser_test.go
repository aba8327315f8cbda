package browser

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// styleSum is the hash of the style of clean.
const styleSum = "PIX9L/pxNiUiZDP71eqy5UvgpIsnXFkeeTc1F0CnxTA="

const clean = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Clean</title>
<meta name="viewport" content="width=device-width">HEAD<style>body{margin:0;color:#000;background:#fff}
@media (prefers-color-scheme:dark){body{color:#fff;background:#000}}</style></head><body><main><h1>Clean</h1>
<svg viewBox="0 0 300 60" width="300" height="60" role="img" aria-labelledby="t"><title id="t">Two labels</title>
<text x="0" y="20" font-size="12">one</text><text x="0" y="34" font-size="12">two</text></svg>BODY</main></body></html>`

// policy comes into the head of a page, where alone it counts.
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-` + styleSum + `'">`

// TestFaults: each kind of fault is found where it is, and nothing is found on a clean page.
func TestFaults(t *testing.T) {
	b := Start(t)
	for name, test := range map[string]struct{ body, want string }{
		"clean":        {"", ""},
		"console":      {`<script>console.error("oh", 7)</script>`, `console: error: "oh" 7`},
		"exception":    {`<script>throw new Error("oh")</script>`, `console: Uncaught Error: oh`},
		"request":      {`<img alt="" src="http://192.0.2.1/a.png">`, `request: http://192.0.2.1/a.png`},
		"name":         {`<img alt="" src="http://example.com/a.png">`, `request: http://example.com/a.png`},
		"web socket":   {`<script>new WebSocket("ws://192.0.2.1/")</script>`, `request: ws://192.0.2.1/`},
		"sideways":     {`<p style="width:2000px">wide</p>`, `sideways: the page is 2000 wide on 768: P "wide"`},
		"overlap":      {`<svg width="90" height="30"><text x="1" y="20">Aa</text><text x="9" y="22">Bb</text></svg>`, `overlap: "Bb" and "Aa"`},
		"cut":          {`<svg width="20" height="30"><text x="1" y="20">Abcdefgh</text></svg>`, `cut: "Abcdefgh"`},
		"cut in HTML":  {`<p style="width:40px;overflow:hidden;white-space:nowrap">Abcdefghijkl</p>`, `cut: P "Abcdefghijkl"`},
		"small":        {`<svg viewBox="0 0 100 30" width="80" height="24"><text x="1" y="20" font-size="13">Aa</text></svg>`, `small: "Aa" in "a drawing": 10.4 px`},
		"small, HTML":  {`<p style="font-size:10px">Aa</p>`, `small: P "Aa": 10 px`},
		"axe":          {`<img src="data:,">`, `axe: image-alt`},
		"contrast":     {`<p style="color:#bbb;background:#fff">Aa</p>`, `axe: color-contrast`},
		"style by CSP": {`<p style="color:red">Aa</p>` + policy, `csp: style-src`},
	} {
		t.Run(name, func(t *testing.T) {
			body, head := strings.TrimSuffix(test.body, policy), ""
			if body != test.body {
				head = policy
			}
			file := filepath.Join(t.TempDir(), "page.html")
			if err := os.WriteFile(file, []byte(strings.NewReplacer("HEAD", head, "BODY", body).Replace(clean)), 0o600); err != nil {
				t.Fatal(err)
			}
			faults := b.Open(t, FileURL(t, file), Look{Width: 768}).Faults(t)
			found := func(fault string) bool { return strings.HasPrefix(fault, test.want) }
			if test.want == "" && len(faults) > 0 || test.want != "" && !slices.ContainsFunc(faults, found) {
				t.Errorf("found %q, want %q", faults, test.want)
			}
		})
	}
}

// TestLooks: a page gets the width, the scheme and the scripts that its look asks for, over HTTP and with
// a strict policy, and can be printed and pictured.
func TestLooks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src data:; style-src 'sha256-"+styleSum+"'; script-src 'nonce-a'; require-trusted-types-for 'script'")
		_, _ = w.Write([]byte(strings.NewReplacer("<style>", "<link rel=icon href=data:,><style>", "HEAD", "", "BODY", `<script nonce="a">document.title = "Scripted"</script>`).Replace(clean)))
	}))
	defer server.Close()
	b := Start(t)
	for _, look := range Looks() {
		t.Run(look.String(), func(t *testing.T) {
			page := b.Open(t, server.URL, look)
			if faults := page.Faults(t); len(faults) > 0 {
				t.Error(faults)
			}
			if paper := b.Open(t, server.URL, Look{Width: look.Width, Print: true}); !Eval[bool](t, paper, `matchMedia("print").matches`) {
				t.Error("no styles for paper")
			}
			type seen struct {
				Width       int64
				Dark        bool
				Title, Back string
			}
			got := Eval[seen](t, page, `({Width: innerWidth, Dark: matchMedia("(prefers-color-scheme: dark)").matches, Title: document.title, Back: getComputedStyle(document.body).backgroundColor})`)
			want := seen{look.Width, look.Dark, "Scripted", "rgb(255, 255, 255)"}
			if look.NoScripts {
				want.Title = "Clean"
			}
			if look.Dark {
				want.Back = "rgb(0, 0, 0)"
			}
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if !look.NoScripts {
				page.Await(t, `document.readyState === "complete"`)
			}
			picture, err := png.DecodeConfig(bytes.NewReader(page.PNG(t)))
			if err != nil || int64(picture.Width) != look.Width {
				t.Errorf("a picture %d wide, %v", picture.Width, err)
			}
			if printed := page.PDF(t); ReadPDF(t, printed).Pages != 1 {
				t.Errorf("%d pages printed", ReadPDF(t, printed).Pages)
			}
			if requests := page.Requests(); !slices.Contains(requests, server.URL+"/") {
				t.Errorf("requests: %q", requests)
			}
		})
	}
}
