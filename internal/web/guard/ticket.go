package guard

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// TicketPath begins the path of a download.
const TicketPath = "/download/"

const (
	// ticketLife is how long a ticket may be used.
	ticketLife = 30 * time.Second
	// maxTickets is the number of unused tickets.
	maxTickets = 100
)

// tickets are downloads that may be asked for once, without the token: a browser sends no header of ours with a
// download. Only hashes of their names are kept, so that a lookup tells nothing by its time.
type tickets struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]ticket
}

type ticket struct {
	serve http.Handler
	until time.Time
}

// Ticket returns a path under which serve answers one request within 30 seconds. It has 128 random bits. It
// returns "" while too many tickets are unused.
func (g *Guard) Ticket(serve http.Handler) string {
	t := &g.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for name, each := range t.all {
		if now.After(each.until) {
			delete(t.all, name)
		}
	}
	if len(t.all) >= maxTickets {
		return ""
	}
	name := random(16)
	t.all[sha256.Sum256([]byte(name))] = ticket{serve, now.Add(ticketLife)}
	return TicketPath + name
}

// download serves a ticket and forgets it.
func (g *Guard) download(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // HEAD would use the ticket up
		http.Error(w, "a download takes GET", http.StatusMethodNotAllowed)
		return
	}
	t := &g.tickets
	name := sha256.Sum256([]byte(r.PathValue("ticket")))
	t.mu.Lock()
	found, ok := t.all[name]
	delete(t.all, name)
	t.mu.Unlock()
	if !ok || time.Now().After(found.until) {
		http.Error(w, "this download has expired or was used: ask for it again on the page", http.StatusGone)
		return
	}
	found.serve.ServeHTTP(w, r)
}
