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

// bounds are the parameters since and until of a request, in epoch milliseconds.
type bounds struct {
	since, until       int64
	hasSince, hasUntil bool
}

var errCursorInvalid = errors.New("cursor is not one of this service")

type cursorExpiredError struct{ ago time.Duration }

func (e *cursorExpiredError) Error() string {
	return fmt.Sprintf("Cursor expired %d minute(s) ago", max(0, int(e.ago.Minutes())))
}

// cursorWire is the JSON inside a cursor. Session and Type, of requests with filters, are this
// server's own additions. So are Since and Sig, which options ask for.
type cursorWire struct {
	ID    string `json:"id"`
	TS    *int64 `json:"ts"`
	V     int    `json:"v"`
	Exp   *int64 `json:"exp"`
	Since *int64 `json:"since,omitempty"`

	Session string `json:"session,omitempty"`
	Type    string `json:"type,omitempty"`

	Sig string `json:"sig,omitempty"`
}

// cursorMaker turns positions into cursors and back.
type cursorMaker struct {
	opts   Cursors
	secret []byte
	ended  atomic.Int64 // cursors that expire until then, in epoch milliseconds, have expired
}

// encode makes a cursor that expires at exp.
func (c *cursorMaker) encode(to target, exp time.Time) string {
	ms := exp.UnixMilli()
	w := cursorWire{
		ID: uuid.UUID(to.id).String(), TS: &to.ts, V: 2, Exp: &ms, Since: to.since,
		Session: to.filter.session, Type: to.filter.kind,
	}
	if c.opts.Signed {
		w.Sig = c.sign(w)
	}
	// Numbers and plain strings always marshal.
	text, _ := json.Marshal(w)
	return c.opts.Wrap + base64.StdEncoding.EncodeToString(text)
}

func (c *cursorMaker) decode(text string, now time.Time) (target, error) {
	text, ok := strings.CutPrefix(text, c.opts.Wrap)
	if !ok {
		return target{}, errCursorInvalid
	}
	body, err := decodeBase64(text)
	if err != nil {
		return target{}, errCursorInvalid
	}
	var w cursorWire
	if err := json.Unmarshal(body, &w); err != nil || w.V != 2 || w.TS == nil || w.Exp == nil || len(w.ID) != 36 {
		return target{}, errCursorInvalid
	}
	id, err := uuid.Parse(w.ID)
	if err != nil {
		return target{}, errCursorInvalid
	}
	if c.opts.Signed {
		sig := w.Sig
		w.Sig = ""
		if !hmac.Equal([]byte(sig), []byte(c.sign(w))) {
			return target{}, errCursorInvalid
		}
	}
	if exp := time.UnixMilli(*w.Exp); !now.Before(exp) || *w.Exp <= c.ended.Load() {
		return target{}, &cursorExpiredError{ago: now.Sub(exp)}
	}
	return target{
		position: position{ts: *w.TS, id: id}, since: w.Since,
		filter: filter{session: w.Session, kind: w.Type},
	}, nil
}

func (c *cursorMaker) sign(w cursorWire) string {
	text, _ := json.Marshal(w)
	mac := hmac.New(sha256.New, c.secret)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// decodeBase64 accepts all variants of base64, as clients may decode a cursor and encode it
// again.
func decodeBase64(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	if strings.ContainsAny(text, "-_") {
		return base64.RawURLEncoding.DecodeString(text)
	}
	return base64.RawStdEncoding.DecodeString(text)
}
