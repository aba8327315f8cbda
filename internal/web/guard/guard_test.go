package guard

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	document = "the document"
	secret   = "the data"
)

// served is a guarded server on a socket.
type served struct {
	*Guard
	server  *http.Server
	address string
	data    atomic.Int64 // requests that reached the data
}

// serve serves a document, and data at all other paths.
func serve(t *testing.T) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Guard: New(l.Addr().String()), address: l.Addr().String()}
	s.server = NewServer(s.Handler(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document) }),
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			s.data.Add(1)
			_, _ = io.WriteString(w, secret)
		}), "default-src 'none'"))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.server.Serve(l) }()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-ended
		s.Close()
	})
	return s
}

// answer is what a server answered.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends a request with headers such as "Host: other".
func (s *served) ask(t *testing.T, method, path string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

func (s *served) bearer() string { return "Authorization: Bearer " + s.Token() }

// TestRefusals: each attack is refused with its status, and gets neither the data nor a header that would let a
// site read the answer. The same request without the attack is served.
func TestRefusals(t *testing.T) {
	s := serve(t)
	_, port, _ := net.SplitHostPort(s.address)
	token := s.bearer()
	navigation := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	for _, c := range []struct {
		what, method, path string
		headers            []string
		want               int
	}{
		{"the page", "GET", "/", nil, 200},
		{"the page's head", "HEAD", "/", nil, 200},
		{"data", "GET", "/stream", []string{token}, 200},
		{"data for the page", "POST", "/query", []string{token, "Sec-Fetch-Site: same-origin", "Origin: http://" + s.address}, 200},
		{"a reload", "GET", "/", append([]string{"Sec-Fetch-Site: none"}, navigation...), 200},
		{"a file that opens the page", "GET", "/", append([]string{"Sec-Fetch-Site: cross-site"}, navigation...), 200},

		{"rebinding", "GET", "/stream", []string{token, "Host: attacker.example:" + port}, 421},
		{"rebinding of the page", "GET", "/", []string{"Host: attacker.example:" + port}, 421},
		{"localhost", "GET", "/stream", []string{token, "Host: localhost:" + port}, 421},
		{"another port", "GET", "/stream", []string{token, "Host: 127.0.0.1:1"}, 421},
		{"no port", "GET", "/stream", []string{token, "Host: 127.0.0.1"}, 421},
		{"a dot at the end", "GET", "/stream", []string{token, "Host: 127.0.0.1.:" + port}, 421},
		{"rebinding of a ticket", "GET", TicketPath + "x", []string{"Host: attacker.example"}, 421},

		{"another site", "GET", "/stream", []string{token, "Sec-Fetch-Site: cross-site"}, 403},
		{"another port of this machine", "GET", "/stream", []string{token, "Sec-Fetch-Site: same-site"}, 403},
		{"an unknown site", "GET", "/stream", []string{token, "Sec-Fetch-Site: Same-Origin"}, 403},
		{"a page in a frame", "GET", "/", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"a page as a script", "GET", "/", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, 403},
		{"a form", "POST", "/", append([]string{"Sec-Fetch-Site: cross-site"}, navigation...), 403},
		{"a link to data", "GET", "/stream", append([]string{token, "Sec-Fetch-Site: cross-site"}, navigation...), 403},
		{"a link to a ticket", "GET", TicketPath + "x", append([]string{"Sec-Fetch-Site: cross-site"}, navigation...), 403},
		{"a link with HEAD", "HEAD", "/", append([]string{"Sec-Fetch-Site: cross-site"}, navigation...), 403},
		{"an old browser's form", "POST", "/query", []string{token, "Origin: http://attacker.example"}, 403},
		{"an opaque origin", "POST", "/query", []string{token, "Origin: null"}, 403},

		{"no token", "GET", "/stream", nil, 401},
		{"a stolen URL without its fragment", "POST", "/query", []string{"Sec-Fetch-Site: none"}, 401},
		{"an empty token", "GET", "/stream", []string{"Authorization: Bearer "}, 401},
		{"a wrong token", "GET", "/stream", []string{"Authorization: Bearer " + strings.Repeat("A", len(s.Token()))}, 401},
		{"the beginning of the token", "GET", "/stream", []string{token[:len(token)-1]}, 401},
		{"more than the token", "GET", "/stream", []string{token + "A"}, 401},
		{"another scheme", "GET", "/stream", []string{"Authorization: Basic " + s.Token()}, 401},
		{"the token in a cookie", "GET", "/stream", []string{"Cookie: token=" + s.Token()}, 401},
		{"the token in the URL", "GET", "/stream?token=" + s.Token(), nil, 401},
		{"HEAD", "HEAD", "/stream", nil, 401},
		{"OPTIONS", "OPTIONS", "/query", []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"}, 401},
		{"OPTIONS of another site", "OPTIONS", "/query", []string{"Origin: http://attacker.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"a WebSocket", "GET", "/stream", []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="}, 401},
		{"a WebSocket of another site", "GET", "/stream", []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: http://attacker.example", "Sec-Fetch-Site: cross-site"}, 403},
		{"a dot path", "GET", "/./stream", nil, 401},
		{"an unused ticket", "GET", TicketPath + "x", nil, 410},
		{"a ticket's head", "HEAD", TicketPath + "x", nil, 405},
	} {
		before := s.data.Load()
		a := s.ask(t, c.method, c.path, c.headers...)
		if c.want == 401 && a.code == 307 { // to the cleaned path, which is asked for next
			continue
		}
		if a.code != c.want {
			t.Errorf("%s: %d %s, want %d", c.what, a.code, a.body, c.want)
		}
		if reached := s.data.Load() != before; reached != (c.want == 200 && c.path != "/") || strings.Contains(a.body, secret) && c.want != 200 {
			t.Errorf("%s: the data answered: %v, %q", c.what, reached, a.body)
		}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Upgrade", "Set-Cookie"} {
			if v := a.header.Get(name); v != "" {
				t.Errorf("%s: %s: %s", c.what, name, v)
			}
		}
	}
}

// TestAbsoluteTargets: a request line with another host is that of a proxy, and its Host header does not count.
func TestAbsoluteTargets(t *testing.T) {
	s := serve(t)
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "GET http://attacker.example/stream HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", s.address, s.bearer())
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, " 421 ") {
		t.Errorf("%q, %v", line, err)
	}
}

// TestHeaders: each answer, refusals included, tells browsers to keep the page apart.
func TestHeaders(t *testing.T) {
	s := serve(t)
	for what, a := range map[string]answer{
		"page": s.ask(t, "GET", "/"), "data": s.ask(t, "GET", "/stream", s.bearer()),
		"401": s.ask(t, "GET", "/stream"), "403": s.ask(t, "GET", "/stream", "Sec-Fetch-Site: cross-site"), "410": s.ask(t, "GET", TicketPath+"x"),
	} {
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", what, name, got, want)
			}
		}
	}
}

// TestTokens: tokens have 256 random bits, and none is another's.
func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token := New("127.0.0.1:1").Token()
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(token) || seen[token] {
			t.Errorf("token %q", token)
		}
		seen[token] = true
	}
}

// TestAuthorised: the first request with the token is told once, and one without is not.
func TestAuthorised(t *testing.T) {
	s := serve(t)
	var calls atomic.Int64
	s.Authorised = func() { calls.Add(1) }
	s.ask(t, "GET", "/")
	s.ask(t, "GET", "/stream")
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls without the token", n)
	}
	s.ask(t, "GET", "/stream", s.bearer())
	s.ask(t, "GET", "/stream", s.bearer())
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestTickets: a ticket serves one GET, without the token.
func TestTickets(t *testing.T) {
	s := serve(t)
	var unused atomic.Int64
	path, ok := s.Ticket(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a file") }), func() { unused.Add(1) })
	if !ok || !regexp.MustCompile(`^/download/[A-Za-z0-9_-]{22}$`).MatchString(path) {
		t.Fatal(path, ok)
	}
	for _, c := range []struct {
		method string
		want   answer
	}{
		{"HEAD", answer{code: 405}}, {"POST", answer{code: 405, body: "a download takes GET\n"}},
		{"GET", answer{code: 200, body: "a file"}}, {"GET", answer{code: 410, body: "this download has expired or was used: ask for it again on the page\n"}},
	} {
		if a := s.ask(t, c.method, path); a.code != c.want.code || a.body != c.want.body {
			t.Errorf("%s: %d %q, want %+v", c.method, a.code, a.body, c.want)
		}
	}
	if unused.Load() != 0 {
		t.Error("a used ticket was told to be unused")
	}
}

// TestUnusedTickets: there is a limit to unused tickets, and each of them is told once.
func TestUnusedTickets(t *testing.T) {
	g := New("127.0.0.1:1")
	made, unused := 0, 0
	for {
		_, ok := g.Ticket(http.NotFoundHandler(), func() { unused++ })
		if !ok {
			break
		}
		made++
	}
	g.Close()
	if _, ok := g.Ticket(http.NotFoundHandler(), func() { unused++ }); ok || made != maxTickets || unused != made {
		t.Errorf("%d made, %d unused; another one: %v", made, unused, ok)
	}
}
