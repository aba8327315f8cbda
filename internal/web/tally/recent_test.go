package tally_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"datasync/internal/model"
	"datasync/internal/report/figures"
	"datasync/internal/web/tally"
)

// TestTexts: texts of any length are told apart, also where they begin or end alike, or differ from NULL alone.
func TestTexts(t *testing.T) {
	devices := []sql.NullString{{}}
	for _, s := range []string{"", "a", "b", "ab", "ba", "abc", "abcd", "aaaa", "aaaaa", "aaaaaa", "aaaaaaa", "aaaaaaaa", "aaaaaaab", "aaaaaaai", "abcdabcd", "\x00", "\x00\x00", "mobile", "tablet", "tablét", "Samsung Internet"} {
		devices = append(devices, sql.NullString{String: s, Valid: true})
	}
	var properties []string
	for _, name := range []string{
		"", "/", "/a", "/b", "/news", "/newt", "/news/", "/products", "/products/", "/products/lamps", "/products/lamp",
		strings.Repeat("x", 20), strings.Repeat("x", 21), strings.Repeat("x", 22), strings.Repeat("x", 23), strings.Repeat("x", 24), strings.Repeat("x", 22) + "y",
		strings.Repeat("x", 22) + "z", strings.Repeat("x", 9) + "y" + strings.Repeat("x", 10), strings.Repeat("x", 21) + `\\`, strings.Repeat("x", 21) + `\\y`, strings.Repeat("x", 21) + `\\z`,
		strings.Repeat("x", 60), strings.Repeat("x", 59) + "y", `a\\`, `a\\b`, `a\"`, `\u0061`, `/with \"page\"`,
	} {
		properties = append(properties, `{"page":"`+name+`"}`, `{"page":"`+name+`","n":1}`, `{"page":"`+name+`","a longer name":"of another value"}`, `{"n":1,"page":"`+name+`"}`)
	}
	properties = append(properties, "", "{}", `{"page":1}`, `{"page":null}`, `{"page":true,"n":1234567}`, `{"pages":"/news"}`)
	type tried struct{ events, errors int64 }
	wantDevices, wantPages := map[string]tried{}, map[string]tried{}
	c, r := tally.New(time.UTC), rand.New(rand.NewPCG(1, 2))
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	add := func(to map[string]tried, key string, failed int64) {
		to[key] = tried{to[key].events + 1, to[key].errors + failed}
	}
	key := func(s ...sql.NullString) string { return fmt.Sprintf("%#v", s) }
	for batch := range 4 {
		b := c.Batch()
		for range 20_000 {
			e := model.Event{Type: "click", DeviceType: devices[r.IntN(len(devices))], Browser: devices[r.IntN(len(devices))], Properties: properties[r.IntN(len(properties))]}
			failed := int64(r.IntN(2))
			if failed > 0 {
				e.Type = figures.ErrorType
			}
			b.Add(&e)
			name, valid, known := tally.PageOf(e.Properties)
			if !known {
				t.Fatalf("the page of %s is not known", e.Properties)
			}
			add(wantDevices, key(e.DeviceType, e.Browser), failed)
			add(wantPages, key(sql.NullString{String: name, Valid: valid}), failed)
		}
		b.Committed(int64(batch) + 1)
	}
	now := c.Now()
	if !now.PagesKnown || len(now.Devices) != len(wantDevices) || len(now.Pages) != len(wantPages) {
		t.Errorf("%d devices and %d pages, want %d and %d", len(now.Devices), len(now.Pages), len(wantDevices), len(wantPages))
	}
	for _, d := range now.Devices {
		if is, want := (tried{d.Events, d.Errors}), wantDevices[key(d.Device, d.Browser)]; is != want {
			t.Errorf("%+v and %+v: %v, want %v", d.Device, d.Browser, is, want)
		}
	}
	for _, p := range now.Pages {
		if is, want := (tried{p.Events, p.Errors}), wantPages[key(p.Name)]; is != want {
			t.Errorf("%+v: %v, want %v", p.Name, is, want)
		}
	}
}
