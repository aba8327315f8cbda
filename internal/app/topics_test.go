package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"datasync/docs"
	"datasync/export"
	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/dryrun"
	"datasync/ingest/walk"
	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
	"datasync/query"
)

// TestErrorLines: each state in which the program can end leads to its topic, on one line.
func TestErrorLines(t *testing.T) {
	file := func(kind error) error { return &model.FileError{Kind: kind, Path: "a.duckdb"} }
	pulled := func(err error) error { return pullError(context.Background(), err) }
	met := map[string]bool{}
	for _, tc := range []struct {
		err   error
		topic string
		code  int
	}{
		{pulled(&api.APIError{Status: 401, Kind: api.ErrKeyRefused}), "key-refused", 3},
		{pulled(dispatch.ErrClosed), "api-wait", 4},
		{pulled(dispatch.ErrLimited), "api-wait", 4},
		{pulled(dryrun.ErrNotNow), "api-wait", 4},
		{pulled(api.ErrRedirected), "wrong-address", 4},
		{pulled(api.ErrNoAPI), "wrong-address", 4},
		{pulled(&api.APIError{Status: 404}), "wrong-address", 4},
		{pulled(&net.DNSError{IsNotFound: true}), "wrong-address", 4},
		{pulled(tls.RecordHeaderError{}), "wrong-address", 4},
		{pulled(&tls.CertificateVerificationError{Err: errors.New("expired")}), "certificate", 4},
		{pulled(tls.AlertError(40)), "certificate", 4},
		{pulled(fmt.Errorf("%w: %w", walk.ErrNoProgress, api.ErrCursorExpired)), "no-headway", 4},
		{pulled(&api.APIError{Status: 410, Kind: api.ErrCursorExpired}), "no-headway", 4},
		{pulled(walk.ErrLoop), "page-loop", 5},
		{pulled(walk.ErrNoCursor), "page-loop", 5},
		{pulled(walk.ErrMissing), "events-missing", 5},
		{pulled(ingest.ErrUnusable), "unusable", 5},
		{pulled(&api.APIError{Status: 503}), "api-failing", 4},
		{pulled(syscall.ECONNREFUSED), "api-failing", 4},
		{errUnsound, "unsound", 5},
		{export.ErrHistory, "export-history", 5},
		{file(dbfile.ErrMissing), "no-file", 6},
		{file(dbfile.ErrFull), "disk-full", 6},
		{pulled(errors.Join(dispatch.ErrClosed, file(dbfile.ErrFull))), "disk-full", 6},
		{file(dbfile.ErrRoom), "disk-full", 6},
		{&live.RefusedError{Text: file(dbfile.ErrRoom).Error()}, "disk-full", 6},
		{fmt.Errorf("write: %w", outfile.ErrFull), "disk-full", 1},
		{file(dbfile.ErrUnreplayed), "damaged-log", 6},
		{file(dbfile.ErrLog), "damaged-log", 6},
		{file(dbfile.ErrDamaged), "damaged", 6},
		{file(dbfile.ErrForeign), "not-ours", 6},
		{file(dbfile.ErrOrigin), "other-api", 6},
		{file(dbfile.ErrNewer), "other-version", 6},
		{file(dbfile.ErrOlder), "other-version", 6},
		{live.ErrSilent, "suspended", 6},
		{file(dbfile.ErrLocked), "locked", 6},
		{live.ErrBusy, "locked", 6},
		{&live.RefusedError{Text: file(dbfile.ErrLocked).Error()}, "locked", 6},
		{file(dbfile.ErrAccess), "no-access", 6},
		{file(dbfile.ErrBeside), "untrusted", 6},
		{fmt.Errorf("target: %w", &owned.Error{Path: "a", Why: "it is a symbolic link"}), "untrusted", 6},
		{file(dbfile.ErrMemory), "memory", 6},
		{fmt.Errorf("query: %w", dbfile.ErrMemory), "memory", 1},
		{file(dbfile.ErrLimit), "limits", 6},
		{pulled(fmt.Errorf("dial: %w", syscall.EMFILE)), "limits", 4},
		{errTooOld, "too-old", 1},
		// What says all itself.
		{usage("no such option"), "", 2},
		{usage("%w", outfile.ErrTarget), "", 2},
		{fmt.Errorf("%w: %w", outfile.ErrTarget, syscall.EMFILE), "", 2},
		{file(dbfile.ErrPath), "", 2},
		{dbfile.ErrZone, "", 2},
		{query.ErrEmpty, "", 2},
		{errTimeout, "", 1},
		{signalled{130}, "", 130},
		{errors.New("query: Parser Error"), "", 1},
	} {
		line := errorLine(errors.Join(tc.err, tc.err))
		met[tc.topic] = true
		want := ""
		if tc.topic != "" {
			want = " (datasync explain " + tc.topic + ")"
		}
		if code := exitCode(tc.err); code != tc.code || !strings.HasSuffix(line, want) || strings.Count(line, "datasync explain") != min(1, len(tc.topic)) {
			t.Errorf("exit %d, %q, want exit %d, %q", code, line, tc.code, want)
		}
		if strings.Contains(line, "\n") || strings.ReplaceAll(tc.err.Error(), "\n", "; ") != strings.TrimSuffix(line, want) {
			t.Errorf("%q of %q", line, tc.err)
		}
	}
	for _, topic := range topics {
		if (topic.leads != nil) != met[topic.name] {
			t.Errorf("an error leads to %s: %v", topic.name, met[topic.name])
		}
	}
}

// TestTopics: each has its section, which can be printed and reached, and no other has one.
func TestTopics(t *testing.T) {
	var want []string
	for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(docs.Operations, -1) {
		if !strings.HasPrefix(heading[1], "By ") {
			want = append(want, heading[1])
		}
	}
	index, _, _ := strings.Cut(docs.Operations, "\n## "+want[0]+"\n")
	var names []string
	for _, topic := range topics {
		names = append(names, topic.name)
		about, more, _ := strings.Cut(section(topic.name), "\n")
		if !strings.HasSuffix(about, ".") || len(about) > 90 || strings.TrimSpace(more) == "" {
			t.Errorf("%s begins with %q", topic.name, about)
		}
		if topic.leads == nil && topic.met == "" && !strings.Contains(index, "(#"+topic.name+")") {
			t.Errorf("nothing leads to %s", topic.name)
		}
		code, out, errs := called("explain", topic.name)
		if code != 0 || !strings.HasPrefix(out, topic.name+"\n\n"+about+"\n") || !strings.HasSuffix(out, "\n") || errs != "" || strings.Contains(out, "](#") {
			t.Errorf("%s: exit %d, %q, %q", topic.name, code, out, errs)
		}
	}
	slices.Sort(want)
	if sorted := slices.Sorted(slices.Values(names)); !slices.Equal(sorted, want) {
		t.Errorf("topics %q, sections %q", sorted, want)
	}
	for _, link := range reference.FindAllStringSubmatch(docs.Operations, -1) {
		if !slices.Contains(names, link[1]) || link[0] != "["+link[1]+"](#"+link[1]+")" {
			t.Errorf("%s leads nowhere", link[0])
		}
	}
	code, out, _ := called("explain")
	if lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n"); code != 0 || len(lines) != len(topics) {
		t.Errorf("exit %d, %q", code, out)
	}
}

func TestExplainAnUnknownTopic(t *testing.T) {
	for name, want := range map[string]string{
		"full":       "near it are disk-full; datasync explain lists them all",
		"disk-ful":   "near it are disk-full;",
		"DAMAGED-LG": "near it are damaged-log, damaged;",
		"lokced":     "near it are locked;",
		"xyz":        "no topic \"xyz\"; datasync explain lists them all",
		"":           "explain lists them all",
	} {
		code, out, errs := called("explain", name)
		if code != 2 || out != "" || !strings.Contains(errs, want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d, %q, %q, want %q", name, code, out, errs, want)
		}
	}
	if code, out, _ := called("explain", "Disk-Full"); code != 0 || !strings.HasPrefix(out, "disk-full\n") {
		t.Errorf("exit %d, %q", code, out)
	}
}

// called calls the program.
func called(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(append([]string{"datasync"}, args...), func(string) string { return "" }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}
