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
	// TicketLife is how long a ticket may be used.
	TicketLife = 30 * time.Second
	// maxTickets is the number of unused tickets.
	maxTickets = 8
)

// tickets are downloads that may be asked for once, without the token: a browser sends no header of ours with a
// download. Only hashes of their names are kept, so that a lookup tells nothing by its time.
type tickets struct {
	mu     sync.Mutex
	all    map[[sha256.Size]byte]*ticket
	closed bool
}

type ticket struct {
	serve  http.Handler
	unused func()
	expiry *time.Timer
}

// Ticket returns a path under which serve answers one request within TicketLife. It has 128 random bits. If the
// path is not used, unused is called once instead of serve. Ticket returns false, and calls neither, while too many
// tickets are unused.
func (g *Guard) Ticket(serve http.Handler, unused func()) (path string, ok bool) {
	t := &g.tickets
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.all) >= maxTickets {
		return "", false
	}
	name := random(16)
	hash := sha256.Sum256([]byte(name))
	each := &ticket{serve: serve, unused: unused}
	each.expiry = time.AfterFunc(TicketLife, func() {
		if t.take(hash) != nil {
			unused()
		}
	})
	t.all[hash] = each
	return TicketPath + name, true
}

// take returns a ticket and forgets it; nil if it was used or has expired.
func (t *tickets) take(hash [sha256.Size]byte) *ticket {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := t.all[hash]
	if found != nil {
		found.expiry.Stop()
		delete(t.all, hash)
	}
	return found
}

// Close ends all unused tickets. There are no more from then on.
func (g *Guard) Close() {
	t := &g.tickets
	t.mu.Lock()
	all := t.all
	t.all, t.closed = nil, true
	t.mu.Unlock()
	for _, each := range all {
		each.expiry.Stop()
		each.unused()
	}
}

// download serves a ticket and forgets it.
func (g *Guard) download(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet { // HEAD would use the ticket up
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "a download takes GET", http.StatusMethodNotAllowed)
		return
	}
	found := g.tickets.take(sha256.Sum256([]byte(r.PathValue("ticket"))))
	if found == nil {
		http.Error(w, "this download has expired or was used: ask for it again on the page", http.StatusGone)
		return
	}
	trust(r.Context())
	found.serve.ServeHTTP(w, r)
}
