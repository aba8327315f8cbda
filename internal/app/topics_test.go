package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	"datasync/internal/lakerun"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
	"datasync/query"
)

// endings are errors with which the program can end, and how each ends it.
func endings() []ending {
	file := func(kind error) error { return &model.FileError{Kind: kind, Path: "a.duckdb"} }
	pulled := func(err error) error { return pullError(context.Background(), err) }
	return []ending{
		{pulled(&api.Error{Status: 401, Kind: api.ErrKeyRefused}), "key-refused", 3},
		{pulled(dispatch.ErrWaitTooLong), "api-wait", 4},
		{pulled(dispatch.ErrLimited), "api-wait", 4},
		{pulled(dryrun.ErrNotNow), "api-wait", 4},
		{pulled(api.ErrRedirected), "wrong-address", 4},
		{pulled(api.ErrNoAPI), "wrong-address", 4},
		{pulled(api.ErrPlainPort), "wrong-address", 4},
		{pulled(api.ErrTLSPort), "wrong-address", 4},
		{pulled(&api.Error{Status: 404}), "wrong-address", 4},
		{pulled(&net.DNSError{Err: "no such host", Name: "api.test", IsNotFound: true}), "wrong-address", 4},
		{pulled(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), "wrong-address", 4},
		{pulled(&tls.CertificateVerificationError{Err: errors.New("expired")}), "certificate", 4},
		{pulled(tls.AlertError(40)), "certificate", 4},
		{pulled(fmt.Errorf("%w: %w", walk.ErrNoProgress, api.ErrCursorExpired)), "no-headway", 4},
		{pulled(&api.Error{Status: 410, Kind: api.ErrCursorExpired}), "no-headway", 4},
		{pulled(walk.ErrLoop), "page-loop", 5},
		{pulled(walk.ErrNoCursor), "page-loop", 5},
		{pulled(walk.ErrMissing), "events-missing", 5},
		{pulled(ingest.ErrUnusable), "unusable", 5},
		{pulled(&api.Error{Status: 503}), "api-failing", 4},
		{pulled(syscall.ECONNREFUSED), "api-failing", 4},
		{pulled(api.ErrTokenRejected), "api-failing", 4},
		{errUnsound, "unsound", 5},
		{file(dbfile.ErrUnsound), "unsound", 5},
		{export.ErrHistory, "export-history", 5},
		{file(dbfile.ErrMissing), "no-file", 6},
		{file(dbfile.ErrFull), "disk-full", 6},
		{pulled(errors.Join(dispatch.ErrWaitTooLong, file(dbfile.ErrFull))), "disk-full", 6},
		{file(dbfile.ErrNoRoomForCopy), "disk-full", 6},
		{file(dbfile.ErrNoRoomForExport), "disk-full", 6},
		{&live.RefusedError{Text: file(dbfile.ErrNoRoomForCopy).Error(), Sent: model.ExitOf(file(dbfile.ErrNoRoomForCopy))}, "disk-full", 6},
		{fmt.Errorf("write: %w", outfile.ErrFull), "disk-full", 1},
		{file(dbfile.ErrUnreplayed), "damaged-log", 6},
		{file(dbfile.ErrLog), "damaged-log", 6},
		{file(dbfile.ErrDamaged), "damaged", 6},
		{file(dbfile.ErrForeign), "not-ours", 6},
		{file(dbfile.ErrOrigin), "other-api", 6},
		{file(dbfile.ErrNewer), "other-version", 6},
		{file(dbfile.ErrOlder), "other-version", 6},
		{live.ErrUnresponsive, "suspended", 6},
		{file(dbfile.ErrLocked), "locked", 6},
		{live.ErrBusy, "locked", 6},
		{&live.RefusedError{Text: file(dbfile.ErrLocked).Error(), Sent: model.ExitOf(file(dbfile.ErrLocked))}, "locked", 6},
		{file(dbfile.ErrAccess), "no-access", 6},
		{file(dbfile.ErrUntrustedNeighbour), "untrusted", 6},
		{fmt.Errorf("target: %w", &owned.Error{Path: "a", Why: "it is a symbolic link"}), "untrusted", 6},
		{file(dbfile.ErrMemory), "memory", 6},
		{fmt.Errorf("query: %w", dbfile.ErrMemory), "memory", 1},
		{file(dbfile.ErrLimit), "limits", 6},
		{pulled(fmt.Errorf("dial: %w", syscall.EMFILE)), "limits", 4},
		{fmt.Errorf("query: %w", syscall.EMFILE), "limits", 1},
		{errTooOld, "too-old", 1},
		{fmt.Errorf("%w: it is nowhere", lakerun.ErrMissing), "lake", 1},
		{&lakerun.Failure{LakeError: model.LakeError{Text: "the file has changed in batches that the table has", Code: 5, Topic: "lake"}}, "lake", 5},
		// The line says everything.
		{usage("no such option"), "", 2},
		{usage("%w", outfile.ErrTarget), "", 2},
		{fmt.Errorf("%w: %w", outfile.ErrTarget, syscall.EMFILE), "", 2},
		{file(dbfile.ErrPath), "", 2},
		{pulled(ingest.ErrFrom), "", 2},
		{export.ErrOptions, "", 2},
		{fmt.Errorf("query: %w", query.ErrParams), "", 2},
		{query.ErrNoNamed, "", 2},
		// A pull of another version: of an older one the code alone is known, of a newer one the
		// topic may be unknown.
		{&live.RefusedError{Text: file(dbfile.ErrNoRoomForCopy).Error()}, "", 6},
		{&live.RefusedError{Text: "sun spots", Sent: model.Exit{Code: 6, Topic: "sun-spots"}}, "", 6},
		{dbfile.ErrZone, "", 2},
		{query.ErrEmpty, "", 2},
		{errTimeout, "", 1},
		{signalled{syscall.SIGINT}, "", 130},
		{errors.New("query: Parser Error"), "", 1},
	}
}

type ending struct {
	err   error
	topic string
	code  int
}

// TestErrorLines: each error is one line that ends with its topic.
func TestErrorLines(t *testing.T) {
	for _, tc := range endings() {
		line := errorLine(errors.Join(tc.err, tc.err))
		want := ""
		if tc.topic != "" {
			want = " (datasync explain " + tc.topic + ")"
		}
		if code := exitOf(tc.err).Code; code != tc.code || !strings.HasSuffix(line, want) || strings.Count(line, "datasync explain") != min(1, len(tc.topic)) {
			t.Errorf("exit %d, %q, want exit %d, %q", code, line, tc.code, want)
		}
		if strings.Contains(line, "\n") || strings.ReplaceAll(tc.err.Error(), "\n", "; ") != strings.TrimSuffix(line, want) {
			t.Errorf("%q of %q", line, tc.err)
		}
	}
}

// TestErrorsInOperations: the tables of docs/operations.md lead from each exit code and from
// each message to the topic that the error's line names, and to no other.
func TestErrorsInOperations(t *testing.T) {
	byCode, byMessage := operationsTables(t)
	met := map[string]bool{}
	for _, tc := range endings() {
		if tc.topic == "" {
			continue
		}
		code := strconv.Itoa(tc.code)
		met[code+" "+tc.topic] = true
		if !slices.Contains(byCode[code], tc.topic) {
			t.Errorf("exit code %d does not lead to %s", tc.code, tc.topic)
		}
		text := errorLine(tc.err)
		if !slices.ContainsFunc(byMessage, func(m message) bool { return slices.Contains(m.topics, tc.topic) && m.isIn(text) }) {
			t.Errorf("no message of %s is in %q", tc.topic, text)
		}
	}
	for code, names := range byCode {
		for _, name := range names {
			if code != "0" && code != "137" && !met[code+" "+name] {
				t.Errorf("no error ends with %s and leads to %s", code, name)
			}
		}
	}
}

// TestSentinelsInOperations: so do the sentinels of all packages, wherever they are defined.
func TestSentinelsInOperations(t *testing.T) {
	byCode, byMessage := operationsTables(t)
	found := 0
	for _, f := range failures(t) {
		found++
		if f.topic == "" {
			continue
		}
		code := strconv.Itoa(f.code)
		if !isTopic(f.topic) || !slices.Contains(byCode[code], f.topic) {
			t.Errorf("%q: exit code %s does not lead to %q", f.text, code, f.topic)
		}
		if f.text != "" && !slices.ContainsFunc(byMessage, func(m message) bool { return slices.Contains(m.topics, f.topic) && m.isIn(f.text) }) {
			t.Errorf("no message of %s is in %q", f.topic, f.text)
		}
	}
	if found < 40 {
		t.Errorf("found %d sentinels only", found)
	}
}

// message is a row of the second table: parts of messages, and the topics that they lead to.
type message struct{ parts, topics []string }

func (m message) isIn(text string) bool {
	return slices.ContainsFunc(m.parts, func(part string) bool { return strings.Contains(text, part) })
}

// operationsTables returns the two tables at the beginning of docs/operations.md.
func operationsTables(t *testing.T) (byCode map[string][]string, byMessage []message) {
	t.Helper()
	byCode = map[string][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*) \|$`).FindAllStringSubmatch(docs.Operations, -1) {
		var names []string
		for _, link := range reference.FindAllStringSubmatch(row[2], -1) {
			names = append(names, link[1])
		}
		if code := regexp.MustCompile(`^[0-9]+`).FindString(row[1]); code != "" {
			byCode[code] = names
		} else {
			byMessage = append(byMessage, message{strings.Split(row[1], "; "), names})
		}
	}
	if len(byCode) < 8 || len(byMessage) < 20 {
		t.Fatalf("%d exit codes and %d messages", len(byCode), len(byMessage))
	}
	return byCode, byMessage
}

// failure is a call of model.NewFailure. Its text is empty if it is not a literal.
type failure struct {
	code        int
	topic, text string
}

// failures finds the calls of model.NewFailure in the program's source.
func failures(t *testing.T) (all []failure) {
	t.Helper()
	codes := map[string]int{"ExitError": 1, "ExitUsage": 2, "ExitKey": 3, "ExitAPI": 4, "ExitData": 5, "ExitFile": 6}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			of, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || of.Sel.Name != "NewFailure" && of.Sel.Name != "SubFailure" {
				return true
			}
			args := call.Args[len(call.Args)-3:]
			f := failure{topic: literal(args[1]), text: literal(args[2])}
			if code, ok := args[0].(*ast.SelectorExpr); ok {
				f.code = codes[code.Sel.Name]
			}
			if f.code == 0 {
				t.Errorf("%s: a sentinel without an exit code", path)
			}
			all = append(all, f)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// literal returns the value of a string literal, or "".
func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			return text
		}
	}
	return ""
}

// TestTopics: each topic has a section that can be printed and reached, and no other has one.
func TestTopics(t *testing.T) {
	var want []string
	for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(docs.Operations, -1) {
		if !strings.HasPrefix(heading[1], "By ") {
			want = append(want, heading[1])
		}
	}
	index, _, _ := strings.Cut(docs.Operations, "\n## "+want[0]+"\n")
	for _, topic := range topics {
		about, more, _ := strings.Cut(section(topic), "\n")
		if !strings.HasSuffix(about, ".") || len(about) > 90 || strings.TrimSpace(more) == "" {
			t.Errorf("%s begins with %q", topic, about)
		}
		if !strings.Contains(index, "(#"+topic+")") {
			t.Errorf("no table leads to %s", topic)
		}
		code, out, errs := called("explain", topic)
		if code != 0 || !strings.HasPrefix(out, topic+"\n\n"+about+"\n") || !strings.HasSuffix(out, "\n") || errs != "" || strings.Contains(out, "](#") {
			t.Errorf("%s: exit %d, %q, %q", topic, code, out, errs)
		}
	}
	slices.Sort(want)
	if sorted := slices.Sorted(slices.Values(topics)); !slices.Equal(sorted, want) {
		t.Errorf("topics %q, sections %q", sorted, want)
	}
	for _, link := range reference.FindAllStringSubmatch(docs.Operations, -1) {
		if !isTopic(link[1]) || link[0] != "["+link[1]+"](#"+link[1]+")" {
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
		"full":       "similar ones are disk-full; datasync explain lists them all",
		"disk-ful":   "similar ones are disk-full;",
		"DAMAGED-LG": "similar ones are damaged-log, damaged;",
		"lokced":     "similar ones are locked;",
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
