package app_test

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/app"
	"datasync/mockserver"
)

// TestKey: where the key comes from, and which texts are no keys. No message contains the key.
func TestKey(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("X-API-Key"))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	folder := t.TempDir()
	in := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := "ds_test_Canary-0123456789~.+/="
	link, loop, pipe := filepath.Join(folder, "link"), filepath.Join(folder, "loop"), filepath.Join(folder, "pipe")
	for _, err := range []error{os.Symlink(in("linked", key, 0o600), link), os.Symlink(loop, loop), syscall.Mkfifo(pipe, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		if f, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = f.WriteString(key + "\n")
			_ = f.Close()
		}
	}()
	const others = "other users can read the key: chmod 600 "
	for _, tc := range []struct {
		name, env, stdin, file string
		code                   int // 3 if the key was sent
		said                   string
	}{
		{name: "environment", env: key, code: 3},
		{name: "environment with a line end", env: key + "\n", code: 3},
		{name: "stdin", stdin: key + "\r\n", file: "-", code: 3},
		{name: "a file", file: in("key", key, 0o600), code: 3},
		{name: "a file instead of the environment", env: "ds_test_other", file: in("instead", key, 0o400), code: 3},
		{name: "white space around it", file: in("spaces", " \t\n"+key+"\r\n\n", 0o600), code: 3},
		{name: "a byte order mark", file: in("bom", "\ufeff"+key+"\r\n", 0o600), code: 3},
		{name: "a byte order mark on stdin", stdin: "\ufeff" + key, file: "-", code: 3},
		{name: "a byte order mark in the environment", env: "\ufeff" + key, code: 3},
		{name: "UTF-16", file: in("utf16le", "\xff\xfe"+wide(key+"\r\n", binary.LittleEndian), 0o600), code: 3},
		{name: "UTF-16 of the other order", file: in("utf16be", "\xfe\xff"+wide(key, binary.BigEndian), 0o600), code: 3},
		{name: "longest, in UTF-16", file: in("longest16", "\xff\xfe"+wide(strings.Repeat("k", 4095), binary.LittleEndian), 0o600), code: 3},
		{name: "longest, with a mark", file: in("longest8", "\ufeff"+strings.Repeat("k", 4095), 0o600), code: 3},
		{name: "too long, in UTF-16", file: in("long16", "\xff\xfe"+wide(strings.Repeat("k", 4096), binary.LittleEndian), 0o600), code: 2, said: "too long for a key"},
		{name: "half a character of UTF-16", file: in("half16", "\xff\xfe"+wide(key, binary.LittleEndian)+"k", 0o600), code: 2, said: "a character that keys do not have"},
		{name: "a mark alone", file: in("alone", "\ufeff", 0o600), code: 2, said: "no API key in"},
		{name: "a mark within", file: in("within", key+"\ufeff", 0o600), code: 2, said: "a character that keys do not have"},
		{name: "a link", file: link, code: 3},
		{name: "a pipe", file: pipe, code: 3},
		{name: "longest", file: in("longest", strings.Repeat("k", 4095), 0o600), code: 3},
		{name: "readable by the group", file: in("group", key, 0o640), code: 3, said: others},
		{name: "readable by all", file: in("all", key, 0o604), code: 3, said: others},
		{name: "writable by others", file: in("writable", key, 0o602), code: 3, said: others},
		{name: "too long", file: in("long", strings.Repeat("k", 4096), 0o600), code: 2, said: "too long for a key"},
		{name: "without end", file: "/dev/zero", code: 2, said: "from /dev/zero is too long for a key"},
		{name: "nowhere", code: 2, said: "no API key: set DATASYNC_API_KEY"},
		{name: "an empty file", file: in("empty", "", 0o600), code: 2, said: "no API key in "},
		{name: "only white space", file: in("blank", " \n\t\n", 0o600), code: 2, said: "no API key in "},
		{name: "empty stdin", env: key, file: "-", code: 2, said: "no API key in stdin"},
		{name: "two lines", file: in("two", key+"\n"+key+"\n", 0o600), code: 2, said: "a character that keys do not have"},
		{name: "UTF-16 without a mark", file: in("wide", "d\x00s\x00", 0o600), code: 2, said: "a character that keys do not have"},
		{name: "quotes", env: `"` + key + `"`, code: 2, said: "a character that keys do not have"},
		{name: "a header in it", env: key + "\r\nX-Evil: 1", code: 2, said: "a character that keys do not have"},
		{name: "a cookie in it", env: key + "; a=b", code: 2, said: "a character that keys do not have"},
		{name: "a folder", file: folder, code: 2, said: "is a directory"},
		{name: "a loop of links", file: loop, code: 2, said: "too many levels"},
		{name: "no file", file: filepath.Join(folder, "none"), code: 2, said: "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got = nil
			args := []string{"datasync", "--db", filepath.Join(t.TempDir(), "a.duckdb"), "pull", "--base-url", server.URL}
			if tc.file != "" {
				args = append(args, "--api-key-file", tc.file)
			}
			getenv := func(name string) string {
				return map[string]string{"DATASYNC_API_KEY": tc.env, "XDG_RUNTIME_DIR": t.TempDir()}[name]
			}
			var stdout, stderr bytes.Buffer
			code := app.Main(args, getenv, strings.NewReader(tc.stdin), &stdout, &stderr)
			text := stderr.String()
			if code != tc.code || !strings.Contains(text, tc.said) || strings.Contains(text, "other users can read") != (tc.said == others) {
				t.Errorf("exit %d, want %d and %q; said %s", code, tc.code, tc.said, text)
			}
			if strings.Contains(text, "Canary") || strings.Contains(text, "kkkk") || stdout.Len() > 0 || code == 2 && strings.Count(text, "\n") != 1 {
				t.Errorf("said %s%s", text, stdout.String())
			}
			if sent := len(got) > 0; sent != (code == 3) || sent && got[0] != key && !strings.HasPrefix(tc.name, "longest") {
				t.Errorf("sent was %q", got)
			}
		})
	}
}

// TestPlainHTTP: before it sends the key in plain text to another machine, the pull warns once.
func TestPlainHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	getenv := func(name string) string { return map[string]string{"DATASYNC_API_KEY": "ds_test_key"}[name] }
	// 0.0.0.0 leads to this machine, but is not a loopback address.
	for host, warnings := range map[string]int{"127.0.0.1": 0, "localhost": 0, "127.1.2.3": 0, "0.0.0.0": 1} {
		var stdout, stderr bytes.Buffer
		base := strings.Replace(server.URL, "127.0.0.1", host, 1)
		args := []string{"datasync", "--db", filepath.Join(t.TempDir(), "a.duckdb"), "pull", "--max-retry-time", "1ms", "--base-url", base}
		code := app.Main(args, getenv, strings.NewReader(""), &stdout, &stderr)
		if n := strings.Count(stderr.String(), "plain http: anyone on the network path can read the key"); n != warnings || warnings > 0 && code != 3 {
			t.Errorf("%s: exit %d, %d warnings: %s", host, code, n, stderr.String())
		}
		stderr.Reset()
		app.Main(append(args, "--quiet"), getenv, strings.NewReader(""), &stdout, &stderr)
		if text := stderr.String(); strings.Count(text, "\n") != 1 || strings.Contains(text, "plain http") {
			t.Errorf("%s: with --quiet it said %q", host, text)
		}
	}
}

// TestOneOrigin: the spelling of the host does not matter, and an invalid port is refused.
func TestOneOrigin(t *testing.T) {
	server := httptest.NewServer(mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 10}}))
	defer server.Close()
	getenv := func(name string) string {
		return map[string]string{"DATASYNC_API_KEY": "ds_test_key", "XDG_RUNTIME_DIR": t.TempDir()}[name]
	}
	path := filepath.Join(t.TempDir(), "a.duckdb")
	here := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, tc := range []struct {
		base, said string
		code       int
	}{
		{here, "", 0}, {strings.Replace(here, "localhost", "LocalHost", 1), "", 0}, {strings.Replace(here, "http", "HTTP", 1) + "/", "", 0},
		{server.URL, "it holds the events of http://localhost:", 6},
		{"http://localhost:65536", "has the port 65536", 2}, {"http://localhost:0", "has the port 0", 2},
	} {
		var stdout, stderr bytes.Buffer
		code := app.Main([]string{"datasync", "--db", path, "pull", "--quiet", "--base-url", tc.base}, getenv, strings.NewReader(""), &stdout, &stderr)
		if text := stderr.String(); code != tc.code || !strings.Contains(text, tc.said) || code == 0 && text != "" {
			t.Errorf("%s: exit %d, want %d: %s", tc.base, code, tc.code, text)
		}
	}
}

// TestNoKeyAsAnArgument: no option takes the key itself, because ps shows options.
func TestNoKeyAsAnArgument(t *testing.T) {
	for _, option := range []string{"--api-key", "--key", "--token"} {
		if code, text := run("pull", "--base-url", "http://127.0.0.1:1", option, "ds_test_canary"); code != 2 || strings.Contains(text, "canary") {
			t.Errorf("%s: exit %d, %s", option, code, text)
		}
	}
	_, text := run("pull", "--help")
	if strings.Contains(text, "--api-key ") {
		t.Error("there is an option for a key")
	}
}

// wide encodes ASCII text in UTF-16.
func wide(text string, order binary.AppendByteOrder) string {
	var b []byte
	for _, c := range []byte(text) {
		b = order.AppendUint16(b, uint16(c))
	}
	return string(b)
}
