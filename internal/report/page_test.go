package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"datasync/internal/report"
	"datasync/internal/report/figures"
)

// write writes a page, and keeps it in the folder REPORT_PAGES, if set, for a person to look at.
func write(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	if folder := os.Getenv("REPORT_PAGES"); folder != "" {
		name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
		if err := os.WriteFile(filepath.Join(folder, name+".html"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// zone loads a time zone.
func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// pages are pages of many kinds.
func pages(t *testing.T) map[string]*report.Report {
	day := lively(1)
	day.badHour, day.gap = time.Time{}, [2]time.Time{}
	one := lively(1)
	one.first, one.last, one.badHour = from.Add(19*time.Hour), from.Add(19*time.Hour), time.Time{}
	ninth := lively(30)
	ninth.types = append(ninth.types, "hover")
	inZone := func(name string, days int) *report.Report {
		e := lively(days)
		e.zone = zone(t, name)
		e.first = e.midnight(e.first)
		return e.report()
	}
	summer := lively(300)
	summer.zone = zone(t, "America/New_York")
	summer.badHour = time.Date(2026, 3, 8, 18, 0, 0, 0, time.UTC)
	incomplete := lively(30).report()
	incomplete.Trust.Complete, incomplete.Trust.Windows[0].Done = false, false
	incomplete.Trust.Windows[0].Open = []figures.Span{{To: from}}
	incomplete.Figures.Period.Unpulled = append([]figures.Span{{To: from}}, incomplete.Figures.Period.Unpulled...)
	incomplete.Pull.Outcome = "interrupted"
	old := lively(30).report()
	old.Pull = nil
	empty := &report.Report{File: "events.duckdb", Version: "1.0", Made: from, Zone: time.UTC, Figures: &figures.Figures{}, Trust: &figures.Trust{}}
	empty.Figures.Period.Unpulled = []figures.Span{{}}
	return map[string]*report.Report{
		"empty": empty, "one": one.report(), "day": day.report(), "week": lively(7).report(), "month": lively(30).report(), "year": lively(365).report(),
		"ninth type": ninth.report(), "Kolkata": inZone("Asia/Kolkata", 30), "Chatham": inZone("Pacific/Chatham", 90), "New York": summer.report(),
		"incomplete": incomplete, "older version": old, "hostile": hostile(),
	}
}

// TestValid: pages of any period, zone and state are valid HTML, allow their own style alone, and lead to
// what they have.
func TestValid(t *testing.T) {
	for name, r := range pages(t) {
		t.Run(name, func(t *testing.T) {
			page := write(t, r)
			checkHTML(t, page)
			style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)[1]
			sum := sha256.Sum256([]byte(style))
			policy := `content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + `&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"`
			if !strings.Contains(page, policy) {
				t.Errorf("the page does not allow its own style alone: want %s", policy)
			}
			if len(page) > report.MaxBytes {
				t.Errorf("%d bytes", len(page))
			}
			for _, bad := range []string{"NaN", "Inf", "%!", "<nil>", `\u00a0`, "0001-01-01"} {
				if at := strings.Index(page, bad); at >= 0 {
					t.Errorf("%s: ...%s...", bad, page[max(0, at-100):min(len(page), at+100)])
				}
			}
		})
	}
}

// checkHTML checks that elements are closed in order, ids occur once, links lead to ids, and no script and
// no style is within an element.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	page = regexp.MustCompile(`<meta ([^>]*)>`).ReplaceAllString(page, "<meta $1/>") // it has no end tag
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	ids, links := map[string]bool{}, []string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v: %s", err, page[max(0, int(d.InputOffset())-200):min(len(page), int(d.InputOffset())+50)])
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch element.Name.Local {
		case "script", "img", "iframe", "object", "embed", "link", "form", "base":
			t.Errorf("the page has a %s", element.Name.Local)
		}
		for _, a := range element.Attr {
			switch name := a.Name.Local; {
			case name == "id" && ids[a.Value]:
				t.Errorf("id %q occurs twice", a.Value)
			case name == "id":
				ids[a.Value] = true
			case name == "href":
				links = append(links, a.Value)
			case name == "style", strings.HasPrefix(name, "on"), name == "src":
				t.Errorf("<%s> has %s=%q", element.Name.Local, name, a.Value)
			}
		}
	}
	for _, link := range links {
		if !strings.HasPrefix(link, "#") || !ids[link[1:]] {
			t.Errorf("a link leads to %q", link)
		}
	}
}

// evil is text that would break a page that trusts it, and that hides or reorders characters.
const evil = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;\u202egnp.exe\x00\x1b[31m\u200b{{.}}`"

// hostile is a page of events that attack it.
func hostile() *report.Report {
	e := lively(30)
	e.types = append(e.types, evil, "")
	e.devices, e.browsers = []string{evil, "", "移动设备"}, []string{evil, "متصفح", strings.Repeat("長", 4000)}
	r := e.report()
	r.Title, r.File = evil, "/tmp/"+strings.ReplaceAll(evil, "/", "")+".duckdb"
	for i := range r.Figures.Counts.Pages {
		r.Figures.Counts.Pages[i].Name = text(fmt.Sprint(evil, strings.Repeat("x", 100_000), i))
	}
	r.Figures.Counts.Pages[1].Name = text("")
	r.Figures.Counts.Pages[2].Name.Valid = false
	for i := range r.Figures.Worst.Factors {
		r.Figures.Worst.Factors[i].Name = text(evil)
	}
	r.Trust.Rejected[evil] = 7
	r.Pull.Waits[0].Reason, r.Pull.Refusals[0].Refused, r.Pull.Outcome = evil, evil, evil
	return r
}

// TestHostileText: text of events shows as text.
func TestHostileText(t *testing.T) {
	page := write(t, hostile())
	for _, raw := range []string{"<script", "<img", "\u202e", "\x00", "\x1b", "\u200b", "ZgotmplZ"} {
		if at := strings.Index(page, raw); at >= 0 {
			t.Errorf("the page has %q: ...%s...", raw, page[max(0, at-80):min(len(page), at+80)])
		}
	}
	for _, shown := range []string{"(empty text)", "(none)", `\u202e`, "&lt;script&gt;"} {
		if !strings.Contains(page, shown) {
			t.Errorf("the page does not show %s", shown)
		}
	}
}

// TestSize: a page is at most as large as promised for any number of values.
func TestSize(t *testing.T) {
	many := func(prefix string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("%s-%d", prefix, i))
		}
		return names
	}
	for name, e := range map[string]events{
		"five years":  lively(5 * 365),
		"types":       {types: append([]string{"error"}, many("type", 63)...)},
		"pages":       {pages: 100_000},
		"devices":     {devices: many("device", 300), browsers: many("browser", 300)},
		"sparse":      {every: 5 * time.Hour},
		"many blanks": {every: 73 * time.Hour, last: from.AddDate(20, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			all := lively(365)
			if e.types != nil {
				all.types = e.types
			}
			if e.devices != nil {
				all.devices, all.browsers = e.devices, e.browsers
			}
			if !e.last.IsZero() {
				all.last = e.last
			}
			all.pages, all.every = max(all.pages, e.pages), e.every
			r := all.report()
			if len(e.types) == 64 {
				r.Figures.Counts.Types[63].Others, r.Figures.Counts.Types[63].Name = 937, ""
			}
			for i := range 3000 {
				w := r.Trust.Windows[0]
				w.Number = int64(i + 2)
				r.Trust.Windows = append(r.Trust.Windows, w)
				r.Pull.Waits = append(r.Pull.Waits, r.Pull.Waits[i%2])
			}
			page := write(t, r)
			if len(page) > report.MaxBytes {
				t.Errorf("%d bytes", len(page))
			}
			checkHTML(t, page)
		})
	}
}

// put writes a file into a folder and returns its name.
func put(t *testing.T, folder, text string) string {
	t.Helper()
	f, err := os.CreateTemp(folder, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}
