package api

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"time"
)

const (
	// mostInterim is how many interim answers (1xx) a request may get before its answer.
	mostInterim = 32
	// mostSends is how often the transport may send a request, each time over a connection that the
	// server then closes. Package net/http has no limit there, and makes no pause.
	mostSends = 8
	// cutAfter is how long a request whose context has ended may take to return before its
	// connection is closed.
	cutAfter = time.Second
)

// connection is what carries a request. Package net/http does not return from everything when
// the context ends: the body of a 101 is the bare connection, and where the server does not
// read what it makes the client send (an answer to each PING, to each SETTINGS), reading and
// closing a body wait for a lock of the connection. All of that ends with the connection.
type connection struct {
	mu      sync.Mutex
	conn    net.Conn // below TLS, whose Close may wait for a write; nil while there is none
	closed  bool
	interim int // answers before the answer
	sends   int
	// end ends the request.
	end func(error)
}

// track returns a context for one request to the endpoint, which tells c of its connection.
// Until release is called, the end of the context closes the connection, be it a little later.
func (c *connection) track(ctx context.Context, endpoint string) (_ context.Context, release func()) {
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(cutAfter, c.close)
	})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			c.got(info.Conn)
			if c.sends++; c.sends > mostSends { // one after the other
				c.giveUp(fmt.Errorf("the %s endpoint did not accept the request on %d connections", endpoint, mostSends))
			}
		},
		// Without this the transport reads a 101 over HTTP/2 as an interim answer.
		Got1xxResponse: func(status int, _ textproto.MIMEHeader) error { return c.gotInterim(endpoint, status) },
	})
	return ctx, func() {
		stop()
		c.got(nil)
	}
}

// got takes in the connection by which the request is sent; the transport may take another one.
func (c *connection) got(conn net.Conn) {
	for {
		secure, ok := conn.(*tls.Conn)
		if !ok {
			break
		}
		conn = secure.NetConn()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn = conn; conn != nil && c.closed {
		_ = conn.Close()
	}
}

// gotInterim takes in an answer before the answer, and returns an error where the request is to
// end by it.
func (c *connection) gotInterim(endpoint string, status int) error {
	c.mu.Lock()
	c.interim++
	n := c.interim
	c.mu.Unlock()
	var err error
	switch {
	case status == http.StatusSwitchingProtocols:
		err = &APIError{Endpoint: endpoint, Status: status, Means: MeansFailed}
	case n > mostInterim:
		err = fmt.Errorf("the %s endpoint sent more than %d interim answers (%d) before its answer", endpoint, mostInterim, status)
	default:
		return nil
	}
	c.giveUp(err)
	return err
}

// giveUp ends the request and closes the connection. One of HTTP/2 would be used again, and would
// give the next request no more than this one, or go on with what nobody asked for.
func (c *connection) giveUp(err error) {
	c.end(err)
	c.close()
}

// close closes the connection, and any other that the request gets.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn != nil {
		_ = c.conn.Close()
	}
}
