package figures_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestDocumentedQueries: the queries of docs/report.md return the figures.
func TestDocumentedQueries(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := func(begin string) string {
		for _, found := range regexp.MustCompile("(?s)```sql\n(.*?)```|`(SELECT[^`]*)`").FindAllStringSubmatch(string(doc), -1) {
			if query := found[1] + found[2]; strings.HasPrefix(query, begin) {
				return query
			}
		}
		t.Fatalf("docs/report.md has no query that begins with %q", begin)
		return ""
	}
	path := file(t, random(rand.New(rand.NewPCG(3, 4)), time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC), 1500))
	f := read(t, path, "UTC", figures.Options{})
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	// rows are the rows of a query, its last column by the text of the others.
	rows := func(query string) map[string]string {
		all := map[string]string{}
		found, err := db.QueryContext(t.Context(), "SELECT COLUMNS(*)::VARCHAR FROM ("+query+")")
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer func() { _ = found.Close() }()
		columns, err := found.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for found.Next() {
			if err := found.Scan(into...); err != nil {
				t.Fatal(err)
			}
			key := make([]string, len(values)-1)
			for i := range key {
				key[i] = values[i].String
			}
			all[strings.Join(key, "|")] = values[len(values)-1].String
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	same := func(what string, want, got any) {
		t.Helper()
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-documented +read):\n%.2000s", what, diff)
		}
	}
	hours, errors, devices, weeks := map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}
	for _, h := range f.Counts.Hours {
		at := h.Start.Format("2006-01-02 15:04:05+00")
		for i, n := range h.Events {
			if n > 0 {
				hours[at+"|"+f.Counts.Types[i].Name] = fmt.Sprint(n)
			}
		}
		if n := f.Counts.Of(&h, figures.ErrorType); n > 0 {
			errors[at] = fmt.Sprint(n)
		}
	}
	for _, d := range f.Counts.Devices {
		devices[d.Device.String+"|"+d.Browser.String] = fmt.Sprint(d.Events)
	}
	for _, c := range f.Retention.Cohorts {
		for i, n := range c.Active {
			if n > 0 {
				weeks[fmt.Sprint(c.Week.Format(time.DateOnly), "|", i)] = fmt.Sprint(n)
			}
		}
	}
	same("events an hour", rows(documented("SELECT date_trunc('hour', timestamp), type")), hours)
	same("errors an hour", rows(documented("SELECT date_trunc('hour', timestamp), count(*)")), errors)
	same("devices", rows(documented("SELECT device_type")), devices)
	same("retention", rows(documented("WITH active")), weeks)
	var median time.Duration
	var micros float64
	if err := db.QueryRowContext(t.Context(), `SELECT median(epoch_us(high) - epoch_us(low)) FROM (`+strings.Replace(documented("SELECT session_id"), "max(timestamp) - min(timestamp)", "min(timestamp) AS low, max(timestamp) AS high", 1)+`)`).Scan(&micros); err != nil {
		t.Fatal(err)
	}
	if median = time.Duration(micros * 1000); (median - f.Sessions.Median).Abs() > time.Microsecond {
		t.Errorf("median session %s, documented %s", f.Sessions.Median, median)
	}
}
