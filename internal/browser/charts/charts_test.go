// Package charts looks at the drawings of internal/chart in Chromium.
package charts

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/browser"
	"datasync/internal/chart"
	"datasync/internal/chart/samples"
)

var pictures = flag.String("pictures", "", "a folder to write a picture of each look into")

// layout is that of a report: a column of 784 px beside the rail, and one column below 1120.
const layout = `body{margin:0;padding:24px;background:var(--page);color:var(--text);font:16px system-ui,"DejaVu Sans",sans-serif}
main{max-width:784px;margin-left:auto}figure{margin:0 0 32px}figcaption{font-size:15px;font-weight:700;margin-bottom:8px}
@media (max-width:719.98px){body{padding:16px}}`

// gallery is a page with drawings under the strictest policy with which they are readable.
func gallery(all []samples.Sample) string {
	style := layout + chart.Styles()
	sum := sha256.Sum256([]byte(style))
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-%s'"><title>Charts</title><style>%s</style></head><body><main><h1>Charts</h1>`,
		base64.StdEncoding.EncodeToString(sum[:]), style)
	pair := false
	for _, s := range all {
		_, histogram := s.Chart.(chart.Histogram)
		if histogram && !pair {
			b.WriteString(`<div class="pair">`)
		} else if !histogram && pair {
			b.WriteString(`</div>`)
		}
		pair = histogram
		fmt.Fprintf(&b, `<figure><figcaption>%s</figcaption>%s</figure>`, html.EscapeString(s.Name), s.Chart.Draw().HTML())
	}
	b.WriteString(`</main></body></html>`)
	return b.String()
}

// TestDrawings: the drawings have no fault in any look, whatever their values: no label overlaps
// another or leaves its drawing, none is small, and the policy blocks nothing.
func TestDrawings(t *testing.T) {
	b := browser.Start(t)
	for name, all := range map[string][]samples.Sample{"bars": samples.Bars(), "cells": samples.Cells()} {
		file := filepath.Join(t.TempDir(), name+".html")
		if err := os.WriteFile(file, []byte(gallery(all)), 0o600); err != nil {
			t.Fatal(err)
		}
		looks := append(browser.Looks(), browser.Look{Width: 360}, browser.Look{Width: 720})
		for _, look := range looks {
			t.Run(name+"-"+look.String(), func(t *testing.T) {
				page := b.Open(t, browser.FileURL(t, file), look)
				for _, fault := range page.Faults(t) {
					t.Error(fault)
				}
				if *pictures != "" && !look.NoScripts {
					if err := os.WriteFile(filepath.Join(*pictures, name+"-"+look.String()+".png"), page.PNG(t), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
