package chart_test

import (
	"flag"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/chart"
)

var (
	update  = flag.Bool("update", false, "rewrite the drawings in testdata")
	gallery = flag.String("gallery", "", "write a page of every chart in every state to this folder")
)

// TestGallery writes a page on which a person looks at all drawings: go test ./internal/chart -run
// TestGallery -gallery DIR.
func TestGallery(t *testing.T) {
	var page strings.Builder
	page.WriteString("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>" +
		"<title>Charts</title><style>" + chart.Styles() +
		"body{margin:16px;background:var(--page);color:var(--text);font:14px sans-serif}" +
		"figure{margin:0 0 40px;max-width:784px}figcaption{color:var(--link);margin:0 0 8px}" +
		"td,th{padding:1px 6px;text-align:left}.n{text-align:right}details{font-size:12px;color:var(--muted)}</style>")
	for _, f := range figures() {
		table := f.chart.Table()
		page.WriteString("<figure id=" + f.name + "><figcaption>" + f.name + "</figcaption>" + f.chart.Draw().HTML() +
			"<details><summary>" + html.EscapeString(table.Name) + "</summary><table><tr>")
		for _, c := range table.Columns {
			page.WriteString("<th>" + html.EscapeString(c.Name))
		}
		for _, row := range table.Rows {
			page.WriteString("<tr>")
			for i, cell := range row {
				class := ""
				if table.Columns[i].Number {
					class = " class=n"
				}
				page.WriteString("<td" + class + ">" + html.EscapeString(cell))
			}
		}
		page.WriteString("</table>" + html.EscapeString(table.Note) + "</details></figure>\n")
	}
	if *gallery == "" {
		if page.Len() == 0 {
			t.Fatal("the gallery is empty")
		}
		return
	}
	if err := os.WriteFile(filepath.Join(*gallery, "charts.html"), []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
