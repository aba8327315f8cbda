// Package mockserver is the DataSync API for tests, demonstrations, and people
// who write clients: the events endpoint, stream-access and the feed, with all
// in which the service's own description and reports from the field differ as
// an option. It lets pass what the live service is seen to let pass, unless
// Options.Strict says otherwise. Beside these it answers on the further endpoints
// that the live service is seen to have: see Endpoint.
//
// A Server is used in one of three ways: as an http.Handler (with httptest),
// through Transport, an http.RoundTripper in memory that works inside a
// testing/synctest bubble, or by Serve on a listener. All three take the same
// decisions and show a client the same things, faults included; only what TCP
// does by itself (bytes lost in a reset, Go's client that sends a GET again on
// a reused connection) is found on sockets alone.
//
// # Data
//
// A Dataset computes each event from the seed and the event's place. It holds
// none of them, so any size costs the same memory, and a test can compute what
// a client must have stored: see Dataset.Event and Dataset.Expected. Its order
// is (timestamp descending, id descending as lower-case text). Grow adds newer
// events at run time; cursors name positions and stay right.
//
// # Time
//
// Cursors, tokens and keys die, rate limits have windows, and answers may have
// latencies. All go by package time and are divided by Options.TimeScale.
// Options.Changes change limits, load and bounds while the server runs.
//
// # Faults
//
// A Script says which requests meet which faults; Options.Random draws them.
// Verify reports scripted faults that were never met, and requests that a
// client should not have sent: inside a wait that was asked for, without key,
// cookie or limit, to paths that do not exist or that no pull needs.
//
// # What it does not do
//
// It does not speak TLS or HTTP/2 by itself, or read request bodies other than
// that of BulkPath. It compresses pages only if Options.Gzip says so, and by gzip
// alone. Filters and counts take an event for what it is before DataOptions spoils it.
// It does not judge what a client makes of the answers. Its cursors and tokens
// are predictable, and it checks keys only as far as a test needs: it belongs
// on no public network. Requests that a fault takes the place of count towards
// no rate limit. Where nobody has seen what the service does, the defaults are
// guesses, and the option's comment says what else there is.
//
// It shares no code with the client: a misreading of the wire format on one
// side must not hide the same one on the other.
package mockserver
