package mockserver

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// delivery is how an answer is sent.
type delivery uint8

const (
	deliverWhole   delivery = iota
	deliverReset            // connection reset before the head
	deliverHang             // nothing until the client gives up
	deliverCut              // n bytes of the body, then the connection ends
	deliverChunked          // the same without a Content-Length
	deliverBroken           // n bytes of the body, then a reset
	deliverStall            // n bytes of the body, then nothing
	deliverDrip             // n bytes of the body each pause
	deliverPaced            // the body at Options.Rate
)

// incoming is the part of a request that the API reads, with what the server recorded on arrival.
type incoming struct {
	method, path string
	query        url.Values
	header       http.Header
	body         []byte // where the endpoint reads one
	key, cookie  string
	ctx          context.Context

	endpoint Endpoint // Any if the API does not have the path
	id       string   // in the path
	now      time.Time
	phase    *phase // that it came in
	serial   int    // counts all requests
	inFlight int    // requests being answered, this one included
	fault    Fault
}

// answer is a response before it is sent, by ServeHTTP or by the transport in memory.
type answer struct {
	status int
	header http.Header
	body   []byte
	pooled *[]byte // where body came from, if from the pool
	gzip   bool    // body was compressed
	head   bool    // the request was a HEAD: the body stays here

	delay     time.Duration
	wait      time.Duration // the longest wait that the answer names
	retryDate time.Duration // a wait to be named as a date when it goes out

	how   delivery
	n     int
	pause time.Duration

	endpoint Endpoint
	events   int
	done     bool
}
