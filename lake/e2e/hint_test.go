package e2e_test

import (
	"path"
	"strings"
	"testing"

	"datasync/lake/laketest"
)

// hint compares version-hint.text, which readers by path use, with the table.
func (k kind) hint(t *testing.T, table string) {
	t.Helper()
	loaded := k.Load(t, k.url, table)
	text, err := loaded.Files.ReadFile(loaded.Location() + "/metadata/version-hint.text")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := "v"+strings.TrimSpace(string(text))+".metadata.json", path.Base(loaded.MetadataLocation()); got != want {
		t.Errorf("version-hint.text names %s, and the table is at %s", got, want)
	}
}

// TestHintAfterAKill kills an export between its commit and version-hint.text. Without a repair by the next
// export, readers would read the old table until the next commit.
func TestHintAfterAKill(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		if k.rest() {
			t.Skip("a catalog needs no hint")
		}
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 40, 2)
		k.done(t, k.plan(t, f, "hint.kill"))
		f.Add(t, 1, 40, 2)
		if a := k.killAtCommit(t, k.plan(t, f, "hint.kill")); a.Code != -1 {
			t.Fatalf("not killed: %+v", a)
		}
		if r := k.done(t, k.plan(t, f, "hint.kill")); r.Events.Commits != 0 {
			t.Errorf("the next export did %+v", r.Events)
		}
		k.hint(t, "hint.kill")
	})
}
