package mockserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// position is a place between events: behind the one with this timestamp and
// id. It does not name a number, so it stays right when the set grows.
type position struct {
	ts int64 // epoch milliseconds
	id [16]byte
}

// bounds are the since and until of a request, in epoch milliseconds.
type bounds struct {
	since, until       int64
	hasSince, hasUntil bool
}

var errCursorInvalid = errors.New("cursor is not one of this service")

type cursorExpiredError struct{ ago time.Duration }

func (e *cursorExpiredError) Error() string {
	return fmt.Sprintf("Cursor expired %d minute(s) ago", max(0, int(e.ago.Minutes())))
}

// cursorWire is the JSON inside a cursor. Since and Sig are this server's own
// additions, where an option asks for them.
type cursorWire struct {
	ID    string `json:"id"`
	TS    *int64 `json:"ts"`
	V     int    `json:"v"`
	Exp   *int64 `json:"exp"`
	Since *int64 `json:"since,omitempty"`
	Sig   string `json:"sig,omitempty"`
}

// cursorMaker turns positions into cursors and back.
type cursorMaker struct {
	opts   Cursors
	secret []byte
	ended  atomic.Int64 // cursors that die until then, in epoch milliseconds, are dead
}

// ExpireCursors ends the lives of all cursors that were handed out so far, as a pause
// that is longer than they live would. A cursor that a client has made itself is judged
// by its end: it is dead where one that was handed out now would outlive it.
func (s *Server) ExpireCursors() {
	s.cursors.ended.Store(time.Now().Add(s.scaled(s.opts.Cursor.Life)).UnixMilli())
}

// encode makes a cursor that dies at exp.
func (c *cursorMaker) encode(p position, exp time.Time, since *int64) string {
	ms := exp.UnixMilli()
	w := cursorWire{ID: uuid.UUID(p.id).String(), TS: &p.ts, V: 2, Exp: &ms, Since: since}
	if c.opts.Signed {
		w.Sig = c.sign(w)
	}
	// Numbers and plain strings always marshal.
	text, _ := json.Marshal(w)
	return c.opts.Wrap + base64.StdEncoding.EncodeToString(text)
}

func (c *cursorMaker) decode(text string, now time.Time) (position, *int64, error) {
	text, ok := strings.CutPrefix(text, c.opts.Wrap)
	if !ok {
		return position{}, nil, errCursorInvalid
	}
	body, err := decodeBase64(text)
	if err != nil {
		return position{}, nil, errCursorInvalid
	}
	var w cursorWire
	if err := json.Unmarshal(body, &w); err != nil || w.V != 2 || w.TS == nil || w.Exp == nil || len(w.ID) != 36 {
		return position{}, nil, errCursorInvalid
	}
	id, err := uuid.Parse(w.ID)
	if err != nil {
		return position{}, nil, errCursorInvalid
	}
	if c.opts.Signed {
		sig := w.Sig
		w.Sig = ""
		if !hmac.Equal([]byte(sig), []byte(c.sign(w))) {
			return position{}, nil, errCursorInvalid
		}
	}
	if exp := time.UnixMilli(*w.Exp); !now.Before(exp) || *w.Exp <= c.ended.Load() {
		return position{}, nil, &cursorExpiredError{ago: now.Sub(exp)}
	}
	return position{ts: *w.TS, id: id}, w.Since, nil
}

func (c *cursorMaker) sign(w cursorWire) string {
	text, _ := json.Marshal(w)
	mac := hmac.New(sha256.New, c.secret)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// decodeBase64 takes all the dialects that clients make of a cursor which
// they have decoded and encoded again.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}
