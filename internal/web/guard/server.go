package guard

import (
	"container/list"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// headerTimeout is how long a client may take to send a request's headers, and bodyTimeout the whole request.
	headerTimeout = 5 * time.Second
	bodyTimeout   = 10 * time.Second
	idleTimeout   = time.Minute
	// maxHeader is the size of a request's headers in bytes.
	maxHeader = 16 << 10
	// MaxConnections is the number of open connections.
	MaxConnections = 200
)

// NewServer returns a server whose connections are bounded: beyond MaxConnections it closes the oldest one that
// has no request with the token, so that a flood of strangers does not keep the page out. Handlers bound their own
// answers. It logs nothing, as a log could name a path.
func NewServer(handler http.Handler) *http.Server {
	c := &connections{strangers: list.New(), at: map[net.Conn]*list.Element{}}
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ConnState: c.changed, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, trusting{}, func() { c.trust(conn) })
		},
	}
}

// trusting is the key of the function that records that a connection's request has the token.
type trusting struct{}

// trust records that the request of the context has the token.
func trust(ctx context.Context) {
	if record, ok := ctx.Value(trusting{}).(func()); ok {
		record()
	}
}

// connections are the open connections of a server.
type connections struct {
	mu sync.Mutex
	// strangers are the connections without a request that has the token, the oldest first. A client that sends
	// its headers slowly is one of them.
	strangers *list.List
	at        map[net.Conn]*list.Element // nil for a connection whose request has the token
}

// changed follows the state of a connection.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle: // an idle one waits for a request, which may be a stranger's
		c.remove(conn)
		c.at[conn] = c.strangers.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		c.remove(conn)
		delete(c.at, conn)
		return
	}
	if len(c.at) <= MaxConnections {
		return
	}
	if oldest := c.strangers.Front(); oldest != nil {
		stranger := oldest.Value.(net.Conn)
		c.strangers.Remove(oldest)
		delete(c.at, stranger)
		_ = stranger.Close() // its state becomes closed
	}
}

// remove removes a connection from the strangers. The lock is held.
func (c *connections) remove(conn net.Conn) {
	if e := c.at[conn]; e != nil {
		c.strangers.Remove(e)
	}
}

// trust records that the connection's request has the token.
func (c *connections) trust(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, open := c.at[conn]; open {
		c.remove(conn)
		c.at[conn] = nil
	}
}
