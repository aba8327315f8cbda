package live

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"datasync/internal/browser"
	"datasync/internal/browser/program"
)

// sampler keeps, of each change of the page, what the bar and the charts that follow each batch show: by batch the
// number of events, the table of events by type, and that of errors.
const sampler = `(() => {
	globalThis.samples = {bar: {}, days: {}, errors: {}, peak: {}};
	const number = text => Number(text.replaceAll(",", ""));
	const sums = section => {
		const heads = [...section.querySelectorAll("table")[0].querySelectorAll("thead th")].map(h => h.textContent);
		const rows = [...section.querySelectorAll("table")[0].querySelectorAll("tbody tr")].map(r => [...r.children].map(c => c.textContent));
		return Object.fromEntries(heads.slice(1).map((head, i) => [head, rows.reduce((sum, row) => sum + (number(row[i + 1]) || 0), 0)]));
	};
	const read = () => {
		const batch = document.getElementById("batch").textContent.match(/\d+/), events = document.getElementById("events").textContent.match(/^[\d,]+/);
		if (batch && events) samples.bar[batch[0]] = number(events[0]);
		for (const id of ["days", "errors"]) {
			const section = document.getElementById(id), chip = section?.querySelector(".chip")?.textContent.match(/batch (\d+)/);
			if (chip && section.querySelector("table")) samples[id][chip[1]] = sums(section);
		}
		const peak = document.querySelector("#errors h2")?.textContent.replaceAll("\u00a0", " ").match(/^Errors peaked (.*) UTC: ([\d,]+) in an hour/), as = document.querySelector("#errors .chip")?.textContent.match(/batch (\d+)/);
		if (peak && as) samples.peak[as[1]] = [peak[1], peak[2].replaceAll(",", "")];
	};
	new MutationObserver(read).observe(document.querySelector("main"), {childList: true, subtree: true, characterData: true});
	read();
	return true;
})()`

// samples are what sampler keeps.
type samples struct {
	Bar          map[string]int64
	Days, Errors map[string]map[string]int64 // by batch and column
	Peak         map[string][]string         // when, and how many errors
}

// numbers are batches in order.
func numbers[T any](of map[string]T) []int64 {
	var all []int64
	for key := range of {
		n, _ := strconv.ParseInt(key, 10, 64)
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// byType counts the events of all batches up to each, by type and in all.
func byType(t *testing.T, folder string) func(upTo int64) map[string]int64 {
	rows := program.SQL(t, folder, "UTC", "SELECT batch, type, count(*) FROM events GROUP BY ALL ORDER BY ALL")
	return func(upTo int64) map[string]int64 {
		counts := map[string]int64{}
		for _, row := range rows {
			batch, _ := strconv.ParseInt(row[0], 10, 64)
			n, _ := strconv.ParseInt(row[2], 10, 64)
			if batch <= upTo {
				counts[row[1]] += n
				counts["all"] += n
			}
		}
		return counts
	}
}

// compare reports figures of the page that SQL does not confirm at their own batch.
func compare(t *testing.T, got samples, counted func(upTo int64) map[string]int64) {
	t.Helper()
	for _, batch := range numbers(got.Bar) {
		if all := counted(batch)["all"]; got.Bar[fmt.Sprint(batch)] != all {
			t.Errorf("the bar shows %d events at batch %d, SQL %d", got.Bar[fmt.Sprint(batch)], batch, all)
		}
	}
	for _, batch := range numbers(got.Days) {
		if shown, want := got.Days[fmt.Sprint(batch)], counted(batch); !maps.Equal(shown, want) {
			t.Errorf("events by type at batch %d: the page shows %v, SQL %v", batch, shown, want)
		}
	}
	for _, batch := range numbers(got.Errors) {
		shown, want := got.Errors[fmt.Sprint(batch)], counted(batch)
		if shown["errors"] != want["error"] || shown["events"] != want["all"] {
			t.Errorf("errors at batch %d: the page shows %v, SQL %d of %d", batch, shown, want["error"], want["all"])
		}
	}
}

// TestPull: while pull --serve runs, each figure is that of SQL at its own batch. At the end the page says how the
// pull ended and keeps its figures.
func TestPull(t *testing.T) {
	b, folder := browser.Start(t), t.TempDir()
	api, looked := held(t, 6)
	s := program.Serve(t, folder, "pull", "--base-url", api, "--page-size", "2000", "--workers", "1", "--serve")
	p := b.Open(t, s.URL, browser.Look{Width: 1280})
	browser.Eval[bool](t, p, sampler)
	p.Await(t, `document.querySelector("#days .chip")?.textContent.includes("live")`)
	// The API holds its next page, so the file stays at one batch once it has what came before.
	stored := func() string { return s.SQL("SELECT count(*)::VARCHAR FROM events")[0][0] }
	for tick := time.NewTicker(50 * time.Millisecond); stored() != "12000"; <-tick.C {
	}
	at := s.SQL("SELECT max(batch)::VARCHAR FROM page_log")[0][0]
	p.Await(t, `document.querySelector("#days .chip").textContent === "batch `+at+` · live" && document.getElementById("events").textContent.startsWith("12,000")`)
	program.Figures(t, p, s.SQL, "true", "days", "pages", "devices")
	t.Run("valid HTML", func(t *testing.T) { valid(t, p) })
	picture(t, p, "served-pull")
	p.Clean(t)
	write(t, p, "SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY type")
	keys(t, p, kb.Enter, control)
	p.Await(t, `document.getElementById("outcome").textContent.endsWith("batch `+at+`") || document.querySelector("#result .error")`)
	typed := map[string]int64{}
	for _, row := range browser.Eval[[][]string](t, p, `[...document.querySelectorAll("#result tbody tr")].map(r => [...r.children].map(c => c.textContent))`) {
		typed[row[0]], _ = strconv.ParseInt(row[1], 10, 64)
		typed["all"] += typed[row[0]]
	}
	close(looked)
	p.Await(t, `document.getElementById("state").innerText.startsWith("Ended")`)
	if code, said := s.End(); code != 0 {
		t.Fatalf("the pull ended with %d: %s", code, said)
	}
	shows(t, p, "state", "Ended, complete")
	shows(t, p, "outcome", "This server has ended")
	p.Clean(t)
	picture(t, p, "served-end")
	if len(p.Table(t, "users")) == 0 {
		t.Error("no figures of users at the end")
	}

	counted := byType(t, folder)
	batch, _ := strconv.ParseInt(at, 10, 64)
	if want := counted(batch); !maps.Equal(typed, want) {
		t.Errorf("the SQL box at batch %d: %v, want %v", batch, typed, want)
	}
	got := browser.Eval[samples](t, p, "samples")
	if len(got.Days) < 2 || len(got.Errors) < 2 || len(got.Bar) < 2 || len(got.Peak) == 0 {
		t.Errorf("the page showed too few batches: %v, %v, %v, and peaks at %v", numbers(got.Bar), numbers(got.Days), numbers(got.Errors), numbers(got.Peak))
	}
	compare(t, got, counted)
	for _, batch := range numbers(got.Peak) {
		shown := got.Peak[fmt.Sprint(batch)]
		worst := program.SQL(t, folder, "UTC", fmt.Sprintf(`SELECT strftime(date_trunc('hour', timestamp), '%%a %%-d %%b %%H:00'), count(*) FROM events WHERE type = 'error' AND batch <= %d GROUP BY 1 ORDER BY 2 DESC LIMIT 1`, batch))[0]
		if !slices.Equal(shown, worst) {
			t.Errorf("at batch %d the page shows the peak %v, SQL %v", batch, shown, worst)
		}
	}
}

// held is an API of 60,000 events that holds all pages after the first ones until looked is closed, and sends those
// slowly, so that a pull has many batches.
func held(t *testing.T, first int64) (address string, looked chan struct{}) {
	t.Helper()
	mock, _ := program.Mock(t, "--events", "60000", "--profile", "plain", "--rate", "2MB")
	base, err := url.Parse(mock)
	if err != nil {
		t.Fatal(err)
	}
	api, pages := httputil.NewSingleHostReverseProxy(base), atomic.Int64{}
	looked = make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("limit") && pages.Add(1) > first {
			select {
			case <-looked:
			case <-r.Context().Done():
			}
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, looked
}

// TestFailedPull: when the API goes away, the page ends with the pull's exit code and keeps its figures.
func TestFailedPull(t *testing.T) {
	folder := t.TempDir()
	api, stop := program.Mock(t, "--events", "60000", "--profile", "plain", "--rate", "1MB")
	s := program.Serve(t, folder, "pull", "--base-url", api, "--page-size", "2000", "--workers", "1", "--max-retry-time", "1s", "--serve")
	p := browser.Start(t).Open(t, s.URL, browser.Look{Width: 390, Dark: true})
	browser.Eval[bool](t, p, sampler)
	p.Await(t, `document.querySelector("#days .chip")?.textContent.includes("live") && document.querySelectorAll("#days table tbody tr").length > 0`)
	stop()
	if code, said := s.End(); code != 4 {
		t.Fatalf("the pull ended with %d: %s", code, said)
	}
	shows(t, p, "state", "Ended, exit 4")
	shows(t, p, "message", "The pull ended with exit code 4")
	shows(t, p, "outcome", "This server has ended")
	got, counted := browser.Eval[samples](t, p, "samples"), byType(t, folder)
	compare(t, got, counted)
	newest := numbers(got.Days)
	if all := counted(1 << 40)["all"]; got.Days[fmt.Sprint(newest[len(newest)-1])]["all"] != all || all == 0 {
		t.Errorf("the page ended with %v, the file has %d events", got.Days[fmt.Sprint(newest[len(newest)-1])], all)
	}
	p.Clean(t)
	picture(t, p, "served-failed")
}

// TestServe: serve shows the figures of the file, runs statements, saves downloads, refuses foreign pages, and says
// so when it ends.
func TestServe(t *testing.T) {
	b := start(t)
	folder := t.TempDir()
	program.Run(t, folder, "pull", "--demo", "--demo-events", "30000", "--quiet")
	s := program.Serve(t, folder, "serve")
	address, token := s.Parts()
	counted := byType(t, folder)

	p := b.Open(t, s.URL, browser.Look{Width: 1280})
	browser.Eval[bool](t, p, sampler)
	shows(t, p, "state", "Idle")
	p.Await(t, `document.querySelector("#days table") !== null && document.querySelector("#definitions") !== null`)
	compare(t, browser.Eval[samples](t, p, "samples"), counted)
	if all := browser.Eval[string](t, p, `document.getElementById("percent").textContent.replaceAll(",", "")`); all != fmt.Sprint(counted(1 << 40)["all"]) {
		t.Errorf("the page shows %s events, SQL %d", all, counted(1 << 40)["all"])
	}
	if browser.Eval[bool](t, p, `location.hash !== "" || document.cookie !== ""`) {
		t.Error("the token is still in the address, or in a cookie")
	}
	p.Clean(t)
	picture(t, p, "serve-1280")
	tables := []string{"days", "users", "pages", "devices", "funnel"}
	program.Figures(t, p, s.SQL, "true", tables...)
	t.Run("valid HTML", func(t *testing.T) { valid(t, p) })
	for _, look := range []browser.Look{{Width: 390}, {Width: 768, Dark: true}, {Width: 390, Dark: true}, {Width: 768}, {Width: 1280, Dark: true}} {
		other := b.Open(t, s.URL, look)
		other.Await(t, `document.querySelector("#definitions") !== null`)
		program.Figures(t, other, s.SQL, "true", tables...)
		other.Clean(t)
		picture(t, other, "serve-"+look.String())
	}

	saved := t.TempDir()
	info, err := chromedp.Call(p.Context(), target.GetTargetInfo, target.GetTargetInfoParams{})
	if err == nil {
		_, err = chromedp.CallBrowser(p.Context(), cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
			Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: info.TargetInfo.BrowserContextID, DownloadPath: saved, EventsEnabled: new(true)})
	}
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan string, 9)
	if err := chromedp.ListenBrowser(p.Context(), func(event any) {
		if e, ok := event.(*cdpbrowser.EventDownloadProgress); ok && e.State != cdpbrowser.DownloadProgressStateInProgress {
			ends <- string(e.State)
		}
	}); err != nil {
		t.Fatal(err)
	}
	write(t, p, "SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY type")
	for _, format := range []string{"csv", "parquet"} {
		browser.Eval[bool](t, p, `(() => { document.getElementById("`+format+`").click(); return true })()`)
		if end := <-ends; end != "completed" {
			t.Fatalf("the download of %s ended: %s", format, end)
		}
	}
	files, err := filepath.Glob(filepath.Join(saved, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("saved: %q, %v", files, err)
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".csv") {
			rows := program.SQL(t, folder, "UTC", "SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY type")
			want := "type,n\n"
			for _, row := range rows {
				want += strings.Join(row, ",") + "\n"
			}
			if got := strings.ReplaceAll(string(whole), "\r\n", "\n"); got != want {
				t.Errorf("%s has %q, want %q", file, got, want)
			}
		} else if !strings.HasPrefix(string(whole), "PAR1") || !strings.HasSuffix(string(whole), "PAR1") {
			t.Errorf("%s is no Parquet", file)
		}
	}

	stolen := b.Open(t, address, browser.Look{Width: 1280})
	shows(t, stolen, "notice", noToken)
	attack(t, b, "127.0.0.1", address, token)
	attack(t, b, "evil.test", address, token)
	rebind(t, b, address, token)

	s.Stop()
	p.Await(t, `document.getElementById("state").innerText.startsWith("Ended")`)
	shows(t, p, "outcome", "This server has ended")
	code, said := s.End()
	if code != 0 {
		t.Errorf("serve ended with %d: %s", code, said)
	}
	if _, err := os.Stat(filepath.Join(folder, "datasync.duckdb")); err != nil {
		t.Error(err)
	}
	if strings.Contains(said, token) {
		t.Error("the token is among the messages")
	}
}
