package guard

import (
	"container/list"
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
	// maxConnections is the number of open connections.
	maxConnections = 200
)

// NewServer returns a server whose connections are bounded: beyond maxConnections it closes the one that has
// waited longest without a request. It logs nothing, as a log could name a path.
func NewServer(handler http.Handler) *http.Server {
	c := &connections{waiting: list.New(), at: map[net.Conn]*list.Element{}}
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ConnState: c.changed, ErrorLog: log.New(io.Discard, "", 0),
	}
}

// connections are the open connections of a server.
type connections struct {
	mu sync.Mutex
	// waiting are the connections without a request, the one that has waited longest first.
	waiting *list.List
	at      map[net.Conn]*list.Element // nil for a connection with a request
}

// changed follows the state of a connection.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.at[conn]; e != nil {
		c.waiting.Remove(e)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.at[conn] = c.waiting.PushBack(conn)
	case http.StateActive:
		c.at[conn] = nil
	default:
		delete(c.at, conn)
		return
	}
	if len(c.at) <= maxConnections {
		return
	}
	if oldest := c.waiting.Front(); oldest != nil {
		_ = oldest.Value.(net.Conn).Close() // its state becomes closed
		c.waiting.Remove(oldest)
		c.at[oldest.Value.(net.Conn)] = nil
	}
}
