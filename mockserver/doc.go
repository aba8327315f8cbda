// Package mockserver is a mock server of the DataSync API, for tests, demonstrations and authors of
// clients. It has the events endpoint, stream-access and the feed. Where the service's description
// and observations of the live service differ, an option says which to follow. By default it
// accepts what the live service accepts: see Options.Strict. It also has further endpoints of the
// live service: see Endpoint.
//
// A Server is used in one of three ways: as an http.Handler (with httptest), through Transport, an
// http.RoundTripper in memory that works inside a testing/synctest bubble, or by Serve on a
// listener. All three behave alike, faults included. Only effects of TCP itself need sockets: bytes
// lost in a reset, and a GET that Go's client repeats on a reused connection.
//
// # Data
//
// A Dataset computes each event from the seed and the event's number. It stores none, so a set of
// any size takes the same memory, and a test can compute what a client must have stored: see
// Dataset.Event and Dataset.Expected. DataOptions.Shape says what the events look like together. By
// default they are flat; the program's demo is lively. The order is timestamp descending, then id descending as
// lower-case text. Grow adds newer events at run time. Cursors name positions, so they stay valid.
//
// # Time
//
// Cursors, tokens and keys expire, rate limits have windows, and answers may have latencies. All
// use package time and are divided by Options.TimeScale. Options.Changes change limits, load and
// bounds while the server runs.
//
// # Faults
//
// A Script says which requests have which faults, and Options.Random draws them. Verify returns an
// error for scripted faults that no request had, and for requests that a client should not have
// sent: during a wait, without a key, cookie or limit, or to paths that a pull does not need.
//
// # Limits
//
// The server speaks neither TLS nor HTTP/2 by itself, and reads no request body but that of
// BulkPath. It compresses pages only with Options.Gzip, and only by gzip. Filters and counts use
// the values that events have before DataOptions makes some malformed. Requests whose answer a
// fault replaces count towards no rate limit. Where the service's behaviour is unknown the defaults
// are guesses, and the option's comment names the alternatives.
//
// It does not check what a client does with the answers. Its cursors and tokens are predictable,
// and it checks keys only as far as tests need: do not run it on a public network.
//
// It shares no code with the client: a misreading of the wire format on one side must not hide the
// same one on the other.
package mockserver
