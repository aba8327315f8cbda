package decode

import (
	"database/sql"
	"slices"
	"strings"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// The reasons why an element of a page is not an event. They are stored with the reject.
const (
	reasonNotAnObject      = "not_an_object"
	reasonMissingID        = "missing_id"
	reasonBadID            = "bad_id"
	reasonMissingTimestamp = "missing_timestamp"
	reasonBadTimestamp     = "bad_timestamp"
	reasonOutOfRange       = "timestamp_out_of_range"
	reasonMissingType      = "missing_type"
	reasonBadType          = "bad_type"
	reasonMissingSessionID = "missing_session_id"
	reasonBadSessionID     = "bad_session_id"
	reasonDuplicateMember  = "member_twice"
	reasonBadText          = "bad_text"
	// ReasonBadJSON is the reason of an element that is not JSON.
	ReasonBadJSON  = "bad_json"
	reasonTooDeep  = "too_deep"
	reasonTooLarge = "too_large"
)

// isDamage reports whether an element with the reason is malformed JSON, or nested too deep.
func isDamage(reason string) bool { return reason == ReasonBadJSON || reason == reasonTooDeep }

// The members of an event, as indexes of the values of normalizer.event.
const (
	eventID = iota
	eventSessionID
	eventUserID
	eventType
	eventName
	eventProperties
	eventTimestamp
	eventSession
)

// The members of an event's session, as indexes of the values of
// normalizer.session.
const (
	sessionID = iota
	sessionDeviceType
	sessionBrowser
)

// normalizer makes events of the elements of a page, one after another. It scans an element and holds its
// members until the next one.
type normalizer struct {
	scan    *scanner
	event   *objectSplitter
	session *objectSplitter
	ids     [eventUserID + 1]parsedID
	extra   []jsonMember // the members of the column extra; reused for its memory
}

// parsedID is a UUID that the scan recognised, with the offset of its value: an older offset belongs to
// another element.
type parsedID struct {
	start int
	id    uuid.UUID
}

func newNormalizer(s *scanner) *normalizer {
	n := &normalizer{
		scan:    s,
		event:   newSplitter("id", "sessionId", "userId", "type", "name", "properties", "timestamp", "session"),
		session: newSplitter("id", "deviceType", "browser"),
	}
	for _, k := range []int{eventID, eventSessionID, eventUserID} {
		n.event.fields[k].scan = func(i, depth int) int { return n.scanID(i, depth, k) }
	}
	n.event.fields[eventSession].scan = n.scanSession
	return n
}

// release drops all references to the text of the last element.
func (n *normalizer) release() {
	n.event.release()
	n.session.release()
	clear(n.extra[:cap(n.extra)])
	n.ids = [len(n.ids)]parsedID{}
}

// scanID scans a member that should be a UUID, and parses it on the way.
func (n *normalizer) scanID(i, depth, field int) int {
	const quotes = 2
	if text := n.scan.text; len(text)-i >= uuidLen+quotes && text[i] == '"' && text[i+1+uuidLen] == '"' {
		if known := &n.ids[field]; parseUUID(text[i+1:i+1+uuidLen], &known.id) {
			known.start = i
			return i + uuidLen + quotes
		}
	}
	return n.scan.value(i, depth)
}

func (n *normalizer) scanSession(i, depth int) int {
	if n.scan.at(i, '{') {
		return n.scan.split(i, depth, n.session)
	}
	return n.scan.value(i, depth)
}

// element scans the element of data at i. It fills e if that is an event, and returns the reason if not.
// The end is stopped if the text is malformed.
func (n *normalizer) element(i, depth int, e *model.Event) (end int, reason string) {
	*e = model.Event{}
	if !n.scan.at(i, '{') {
		if end = n.scan.value(i, depth); end-i > maxElement {
			return end, reasonTooLarge
		}
		return end, reasonNotAnObject
	}
	if end = n.scan.split(i, depth, n.event); end == stopped {
		return stopped, ""
	}
	if end-i > maxElement {
		return end, reasonTooLarge
	}
	if reason = n.required(e); reason != "" {
		return end, reason
	}
	switch {
	case !n.optional(e):
		return end, reasonDuplicateMember
	case !isLossless(n.scan.text[i:end]):
		return end, reasonBadText
	}
	return end, ""
}

// required fills the members that every event must have, and returns the first reason against it.
func (n *normalizer) required(e *model.Event) (reason string) {
	var ok bool
	if n.empty(eventID) {
		return reasonMissingID
	}
	if !n.id(eventID, &e.ID) {
		return reasonBadID
	}
	if n.empty(eventTimestamp) {
		return reasonMissingTimestamp
	}
	var read readability
	if e.Timestamp, read = n.timestamp(); read == unreadable {
		return reasonBadTimestamp
	}
	if read == beyondInstant || !inRange(e.Timestamp) {
		return reasonOutOfRange
	}
	if n.empty(eventType) {
		return reasonMissingType
	}
	if e.Type, ok = n.scan.string(n.event.values[eventType]); !ok {
		return reasonBadType
	}
	if n.empty(eventSessionID) {
		return reasonMissingSessionID
	}
	if !n.id(eventSessionID, &e.SessionID) {
		return reasonBadSessionID
	}
	return ""
}

// optional fills the other members. Those without a column go to extra. It fails for a duplicate member,
// since either of them may be meant.
func (n *normalizer) optional(e *model.Event) (ok bool) {
	ok = n.event.duplicated == 0
	n.extra = n.extra[:0]
	if e.UserID.Valid = n.id(eventUserID, &e.UserID.UUID); !e.UserID.Valid {
		n.keep("userId", n.event.values[eventUserID])
	}
	e.Name = n.stringOrKeep("name", n.event.values[eventName])
	if v := n.event.values[eventProperties]; n.scan.begins(v, '{') {
		e.Properties = n.minified(v)
	} else {
		n.keep("properties", v)
	}
	if v := n.event.values[eventSession]; n.scan.begins(v, '{') {
		ok = n.fillSession(e) && ok
	} else {
		n.keep("session", v)
	}
	n.keepAll(n.event.others)
	var unique bool
	e.Extra, unique = encodeMembers(n.extra)
	return ok && unique
}

// fillSession fills the known members of an event's session, and keeps the rest as one member of extra. It
// fails for a duplicate member.
func (n *normalizer) fillSession(e *model.Event) (ok bool) {
	before := len(n.extra)
	values := n.session.values
	if v := values[sessionID]; !n.isSession(v, e.SessionID) {
		n.keep("id", v)
	}
	e.DeviceType = n.stringOrKeep("deviceType", values[sessionDeviceType])
	e.Browser = n.stringOrKeep("browser", values[sessionBrowser])
	n.keepAll(n.session.others)
	inner, ok := encodeMembers(n.extra[before:])
	if inner != "" {
		n.extra = append(n.extra[:before], jsonMember{"session", inner})
	}
	return ok && n.session.duplicated == 0
}

// isSession reports whether the id of a session equals the sessionId of its event.
func (n *normalizer) isSession(v value, sessionID uuid.UUID) bool {
	// The same bytes are the common case, and need no second parsing.
	if n.scan.raw(v) == n.scan.raw(n.event.values[eventSessionID]) {
		return true
	}
	text, _ := n.scan.string(v)
	var id uuid.UUID
	return parseUUID(text, &id) && id == sessionID
}

// keep puts a member into extra, unless it is missing or null.
func (n *normalizer) keep(name string, v value) {
	if !n.scan.absent(v) {
		n.extra = append(n.extra, jsonMember{name, n.minified(v)})
	}
}

// keepAll puts members without a column into extra, nulls included.
func (n *normalizer) keepAll(members []member) {
	for _, m := range members {
		n.extra = append(n.extra, jsonMember{m.name, n.minified(m.value)})
	}
}

func (n *normalizer) stringOrKeep(name string, v value) sql.NullString {
	text, ok := n.scan.string(v)
	if !ok {
		n.keep(name, v)
	}
	return sql.NullString{String: text, Valid: ok}
}

// id parses a member of the event that should be a UUID, and reports whether it is one.
func (n *normalizer) id(field int, to *uuid.UUID) bool {
	v := n.event.values[field]
	if v.missing() {
		return false
	}
	if known := &n.ids[field]; known.start == v.start {
		*to = known.id
		return true
	}
	text, _ := n.scan.string(v) // a UUID may be written with escapes
	return parseUUID(text, to)
}

func (n *normalizer) timestamp() (model.Instant, readability) {
	v := n.event.values[eventTimestamp]
	if text, ok := n.scan.string(v); ok {
		at, read := parseInstant(text, true)
		if inner := strings.TrimFunc(text, invisible); read == unreadable && len(inner) < len(text) {
			return parseInstant(inner, true)
		}
		return at, read
	}
	if n.scan.isNumber(v) {
		return parseInstant(n.scan.raw(v), false)
	}
	return 0, unreadable
}

// empty reports whether a member of the event is missing, null or "".
func (n *normalizer) empty(field int) bool {
	switch n.scan.raw(n.event.values[field]) {
	case "", "null", `""`:
		return true
	}
	return false
}

func (n *normalizer) minified(v value) string { return minify(n.scan.raw(v), v.flags) }

// jsonMember is a member of an object to encode: a decoded name and the text of a value.
type jsonMember struct{ name, json string }

// encodeMembers returns a JSON object of the members, sorted by name, and whether each name is unique.
// Without members it returns "".
func encodeMembers(members []jsonMember) (object string, unique bool) {
	if len(members) == 0 {
		return "", true
	}
	slices.SortStableFunc(members, func(a, b jsonMember) int { return strings.Compare(a.name, b.name) })
	b := []byte{'{'}
	for i, m := range members {
		if i > 0 && members[i-1].name == m.name {
			return "", false
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendQuoted(b, m.name)
		b = append(b, ':')
		b = append(b, m.json...)
	}
	return string(append(b, '}')), true
}
