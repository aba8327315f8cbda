package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"time"
)

const (
	// maxInterim is how many interim answers (1xx) a request accepts before its answer.
	maxInterim = 32
	// maxSends is how often the transport may send a request, each time on a connection that the
	// server then closes. Package net/http retries these without a limit and without a pause.
	maxSends = 8
	// closeDelay is how long a request may take to return after its context ended. Then its
	// connection is closed.
	closeDelay = time.Second
)

// errSwitched is the error of a request that the server answered with a 101, which it did not
// request.
var errSwitched = errors.New("the server switched to another protocol")

// connection is the network connection of one request. Package net/http does not always return when
// the context ends: the body of a 101 is the bare connection. A server may also make the client
// send (an answer to each PING, to each SETTINGS) and read none of it. Then reading and closing a
// body wait for a lock of the connection. Closing the connection ends all of that.
type connection struct {
	mu      sync.Mutex
	conn    net.Conn // below TLS, whose Close may wait for a write; nil while there is none
	closed  bool
	interim int // interim answers so far
	sends   int
	// cancel ends the request.
	cancel func(error)
}

// track returns a context for one request to the endpoint, which reports the connection to c. If
// the context ends before release is called, the connection is closed after closeDelay.
func (c *connection) track(ctx context.Context, endpoint string) (_ context.Context, release func()) {
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(closeDelay, c.close)
	})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			c.setConn(info.Conn)
			if c.sends++; c.sends > maxSends { // the calls are sequential
				c.abort(fmt.Errorf("the %s endpoint did not accept the request on %d connections", endpoint, maxSends))
			}
		},
		// Without this hook, the transport takes a 101 over HTTP/2 for an interim answer.
		Got1xxResponse: func(status int, _ textproto.MIMEHeader) error { return c.onInterim(endpoint, status) },
	})
	return ctx, func() {
		stop()
		c.setConn(nil)
	}
}

// setConn records the connection of the request. The transport may replace it by another one.
func (c *connection) setConn(conn net.Conn) {
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

// onInterim records an interim answer, and returns an error if it ends the request.
func (c *connection) onInterim(endpoint string, status int) error {
	c.mu.Lock()
	c.interim++
	n := c.interim
	c.mu.Unlock()
	var err error
	switch {
	case status == http.StatusSwitchingProtocols:
		err = errSwitched
	case n > maxInterim:
		err = fmt.Errorf("the %s endpoint sent more than %d interim answers (%d) before its answer", endpoint, maxInterim, status)
	default:
		return nil
	}
	c.abort(err)
	return err
}

// abort ends the request with err and closes the connection. The transport would reuse one of
// HTTP/2, and the next request would fare no better on it.
func (c *connection) abort(err error) {
	c.cancel(err)
	c.close()
}

// close closes the connection, and any that the request gets later.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn != nil {
		_ = c.conn.Close()
	}
}
