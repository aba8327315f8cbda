package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
)

// Guard decides which requests are served. New makes one; Close ends its tickets.
type Guard struct {
	host    string
	token   string
	origin  *http.CrossOriginProtection
	tickets tickets
	first   sync.Once
	// Authorised, if not nil, is called once, at the first request with the token.
	Authorised func()
}

// New returns a guard for a server at this address, such as 127.0.0.1:8080, with a random token.
func New(address string) *Guard {
	return &Guard{host: address, token: random(32), origin: http.NewCrossOriginProtection(), tickets: tickets{all: map[[sha256.Size]byte]*ticket{}}}
}

// Token is the secret of the page: 256 random bits. It belongs in the fragment of a URL, which browsers never
// send, and in no log.
func (g *Guard) Token() string { return g.token }

// random returns so many random bytes as text.
func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Handler serves the document at / to everybody under the address, a ticket's download at TicketPath, and all else
// only with the token. policy is the content security policy of the document.
func (g *Guard) Handler(document, data http.Handler, policy string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", document)
	mux.Handle(TicketPath+"{ticket}", http.HandlerFunc(g.download))
	mux.Handle("/", g.withToken(data))
	return g.atAddress(headers(policy, g.fromPage(g.origin.Handler(mux))))
}

// atAddress refuses other names of this machine: a site could let its own name resolve to the loopback.
func (g *Guard) atAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != g.host {
			http.Error(w, "this server answers to http://"+g.host+" only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fromPage refuses requests that a browser sends for another site or another port. A navigation may come from
// elsewhere, as from the file that opens the browser: the document carries no data.
func (g *Guard) fromPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		navigates := r.Method == http.MethodGet && r.URL.Path == "/" &&
			r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
		if site != "" && site != "same-origin" && site != "none" && !navigates {
			http.Error(w, "requests from other sites are refused", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// withToken refuses requests without the token.
func (g *Guard) withToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(g.token))
		if !ok || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token is missing or wrong: open the URL that datasync printed", http.StatusUnauthorized)
			return
		}
		if g.Authorised != nil {
			g.first.Do(g.Authorised)
		}
		trust(r.Context())
		next.ServeHTTP(w, r)
	})
}

// headers tells browsers to keep the page apart from others, to load nothing else, and to keep no copy.
func headers(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
