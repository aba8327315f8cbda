// Package charts looks at the drawings of internal/chart in Chromium.
package charts

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/browser"
	"datasync/internal/chart"
)

var pictures = flag.String("pictures", "", "a folder to write a picture of each look into")

// drawings are the golden files of internal/chart, which its tests compare with what it draws: all charts
// in all states, with hostile texts.
const drawings = "../../chart/testdata"

// layout is that of a report: a column of 784 px beside the rail, and one column below 1120.
const layout = `body{margin:0;padding:24px;background:var(--page);color:var(--text);font:16px system-ui,"DejaVu Sans",sans-serif}
main{max-width:784px;margin-left:auto}figure{margin:0 0 32px}figcaption{font-size:15px;font-weight:700;margin-bottom:8px}
@media (max-width:719.98px){body{padding:16px}}`

// kinds are the drawings by the first word of their names: stack, line, rows.
func kinds(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(drawings + "/*.wide.svg")
	if err != nil || len(files) == 0 {
		t.Fatalf("no drawings in %s: %v", drawings, err)
	}
	all := map[string][]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wide.svg")
		kind, _, _ := strings.Cut(name, "-")
		all[kind] = append(all[kind], name)
	}
	return all
}

// gallery is a page of drawings, under the strictest policy with which they are readable.
func gallery(t *testing.T, names []string) string {
	t.Helper()
	style := layout + chart.Styles()
	sum := sha256.Sum256([]byte(style))
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'"><title>Charts</title><style>%s</style></head><body><main><h1>Charts</h1>`,
		base64.StdEncoding.EncodeToString(sum[:]), style)
	class := ""
	if strings.HasPrefix(names[0], "histogram") {
		class = ` class="pair"`
	}
	fmt.Fprintf(&b, `<div%s>`, class)
	for _, name := range names {
		wide, err := os.ReadFile(filepath.Join(drawings, name+".wide.svg"))
		if err != nil {
			t.Fatal(err)
		}
		narrow, err := os.ReadFile(filepath.Join(drawings, name+".narrow.svg"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, `<figure><figcaption>%s</figcaption>%s%s</figure>`, name, wide, narrow)
	}
	b.WriteString(`</div></main></body></html>`)
	return b.String()
}

// looks are at each width, and in each scheme. The drawings have no script, so those without scripts show the
// same, and are quicker because axe-core needs them.
var looks = []browser.Look{
	{Width: 1280}, {Width: 390, Dark: true},
	{Width: 1280, Dark: true, NoScripts: true}, {Width: 768, NoScripts: true}, {Width: 720, NoScripts: true},
	{Width: 390, NoScripts: true}, {Width: 360, NoScripts: true},
	{Width: 736, Dark: true, NoScripts: true, Print: true}, // A4 without its margins, and those of the layout
}

// checkPaper fails the test where paper is not white, or shows the narrow form of a drawing.
func checkPaper(t *testing.T, page *browser.Page) {
	t.Helper()
	type paper struct {
		Page   string
		Narrow int
	}
	got := browser.Eval[paper](t, page, `({Page: getComputedStyle(document.body).backgroundColor,
		Narrow: [...document.querySelectorAll(".chart.narrow")].filter(d => d.checkVisibility()).length})`)
	if want := (paper{"rgb(255, 255, 255)", 0}); got != want {
		t.Errorf("on paper: %+v, want %+v", got, want)
	}
}

// TestDrawings: the drawings have no fault in any look, whatever their values: no label overlaps
// another or leaves its drawing, none is small, and the policy blocks nothing.
func TestDrawings(t *testing.T) {
	b := browser.Start(t)
	for kind, names := range kinds(t) {
		file := filepath.Join(t.TempDir(), kind+".html")
		if err := os.WriteFile(file, []byte(gallery(t, names)), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, look := range looks {
			t.Run(kind+"-"+look.String(), func(t *testing.T) {
				page := b.Open(t, browser.FileURL(t, file), look)
				for _, fault := range page.Faults(t) {
					t.Error(fault)
				}
				if look.Print {
					checkPaper(t, page)
				}
				if *pictures != "" {
					if err := os.WriteFile(filepath.Join(*pictures, kind+"-"+look.String()+".png"), page.PNG(t), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
