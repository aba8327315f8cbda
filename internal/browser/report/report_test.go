// Package report looks at reports in Chromium.
package report

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/internal/browser"
)

var (
	pictures = flag.String("pictures", "", "a folder to write a picture of each look into")
	folder   = flag.String("pages", "", "a folder with pages, instead of those of the tests of internal/report")
)

// pages returns the reports that the tests of internal/report write: of all periods, zones and states, and
// with hostile text.
func pages(t *testing.T) []string {
	t.Helper()
	in := *folder
	if in == "" {
		in = t.TempDir()
		c := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run", "TestValid|TestSize", "./internal/report")
		c.Dir, c.Env = filepath.Join("..", "..", ".."), append(os.Environ(), "REPORT_PAGES="+in, "GOFLAGS=")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go test: %v\n%s", err, out)
		}
	}
	files, err := filepath.Glob(filepath.Join(in, "Test*.html"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d pages in %s: %v", len(files), in, err)
	}
	return files
}

// looks are those at which a page is looked at: all of them for a month, and two for other pages.
func looks(name string) []browser.Look {
	if name == "TestValid-month" {
		return browser.Looks()
	}
	return []browser.Look{{Width: 390}, {Width: 1280, Dark: true}}
}

// TestReports: a report has no fault at any width, in light and dark, with scripts and without, with its tables
// open or closed, and asks for nothing.
func TestReports(t *testing.T) {
	b := browser.Start(t)
	for _, file := range pages(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		for _, look := range looks(name) {
			t.Run(name+"/"+look.String(), func(t *testing.T) {
				page := b.Open(t, browser.FileURL(t, file), look)
				keep(t, name+"-"+look.String()+".png", page.PNG(t))
				for _, fault := range page.Faults(t) {
					t.Error(fault)
				}
				browser.Eval[int](t, page, `document.querySelectorAll("details").forEach(d => d.open = true), 0`)
				for _, fault := range page.Layout(t) {
					t.Errorf("tables open: %s", fault)
				}
				if requests := page.Requests(); len(requests) != 1 {
					t.Errorf("requests: %q", requests)
				}
			})
		}
	}
}

// TestValidHTML: the Nu checker finds no error in a report, and nothing to warn of.
func TestValidHTML(t *testing.T) { browser.Valid(t, pages(t)...) }

// TestPrint: on paper, a report has all tables and charts. No row, no chart and no heading is cut by the end of a page,
// a heading is on the page of its chart, and the head of a table is on each of its pages.
func TestPrint(t *testing.T) {
	b := browser.Start(t)
	for _, file := range pages(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".html")
		if !slices.Contains([]string{"TestValid-month", "TestValid-one", "TestValid-hostile", "TestValid-empty", "TestValid-year", "TestSize-pages"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			page := b.Open(t, browser.FileURL(t, file), browser.Look{Width: 794})
			printed := page.PDF(t)
			keep(t, name+".pdf", printed)
			pdf := browser.ReadPDF(t, printed)
			if pdf.Pages < 2 || pdf.Pages > 40 {
				t.Errorf("%d pages", pdf.Pages)
			}
			type counts struct{ Tables, Rows, Charts int }
			want := browser.Eval[counts](t, page, `({Tables: document.querySelectorAll("table").length, Rows: document.querySelectorAll("tr").length,
				Charts: [...document.querySelectorAll("[role=img]")].filter(e => !e.closest(".narrow")).length})`)
			var got counts
			for i, tag := range pdf.Tags {
				whole := false // on one page
				switch {
				case tag.Kind == "Table":
					got.Tables++
					if head := tag.Parts[0]; !slices.Equal(head.Pages, tag.Pages) {
						t.Errorf("a table on the pages %d has its head on %d", tag.Pages, head.Pages)
					}
				case tag.Kind == "TR":
					got.Rows++
					whole = tag.Parts[0].Kind != "Head"
				case tag.Kind == "Figure" && tag.Alt != "":
					got.Charts++
					whole = true
				case tag.Kind == "H2", tag.Kind == "Caption":
					whole = true
					if next := after(pdf.Tags[i+1:]); next != nil && next.Pages[0] != tag.Pages[0] {
						t.Errorf("a heading is on page %d, and %s %q on %d", tag.Pages, next.Kind, next.Alt, next.Pages)
					}
				}
				if whole && len(tag.Pages) != 1 {
					t.Errorf("%s %q is on the pages %d", tag.Kind, tag.Alt, tag.Pages)
				}
			}
			if got != want || want.Charts == 0 {
				t.Errorf("printed: %+v, want %+v", got, want)
			}
		})
	}
}

// after returns the first chart or table before the next heading; nil if there is none.
func after(tags []*browser.Tag) *browser.Tag {
	for _, tag := range tags {
		switch {
		case tag.Kind == "H2":
			return nil
		case tag.Kind == "Table", tag.Kind == "Figure" && tag.Alt != "":
			return tag
		}
	}
	return nil
}

// keep writes a picture, if asked for.
func keep(t *testing.T, name string, b []byte) {
	t.Helper()
	if *pictures == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*pictures, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}
