package decode

import (
	"database/sql"

	"datasync/internal/model"
)

// The fast path decodes events in the usual notation:
//
//	{"id":"<uuid>","sessionId":"<uuid>","userId":"<uuid>","type":"...","name":"...",
//	"properties":{...},"timestamp":...,"session":{"id":"<sessionId>","deviceType":"...","browser":"..."}}
//
// with these members in this order, no white space, and simple strings: ASCII without escapes. It never
// guesses and never rejects. At anything else it gives up, and the normalizer decodes the event from
// its beginning.

// The offsets of the first values of such an event. Up to there, all events have the same length.
const (
	idStart        = len(`{"id":"`)
	sessionIDStart = idStart + uuidLen + len(`","sessionId":"`)
	userIDStart    = sessionIDStart + uuidLen + len(`","userId":"`)
	typeStart      = userIDStart + uuidLen + len(`","type":"`)
)

// fastPath decodes the event at i into e and returns the offset after it, or stopped for any other
// notation. Then e may be partly filled.
func (d *Decoder) fastPath(i, depth int, e *model.Event) int {
	text := d.scan.text
	if len(text)-i < typeStart {
		return stopped
	}
	head := text[i : i+typeStart]
	if head[:idStart] != `{"id":"` ||
		head[idStart+uuidLen:sessionIDStart] != `","sessionId":"` ||
		head[sessionIDStart+uuidLen:userIDStart] != `","userId":"` ||
		head[userIDStart+uuidLen:] != `","type":"` ||
		!parseUUID(head[idStart:idStart+uuidLen], &e.ID) ||
		!parseUUID(head[sessionIDStart:sessionIDStart+uuidLen], &e.SessionID) ||
		!parseUUID(head[userIDStart:userIDStart+uuidLen], &e.UserID.UUID) {
		return stopped
	}
	e.UserID.Valid = true
	if i = d.fastMiddle(i+typeStart, depth, e); i == stopped {
		return stopped
	}
	return fastSession(text, i, head[sessionIDStart:sessionIDStart+uuidLen], e)
}

// fastMiddle decodes from the value of type up to the comma before session.
func (d *Decoder) fastMiddle(i, depth int, e *model.Event) int {
	text := d.scan.text
	end := simpleStringEnd(text, i)
	if end == stopped || end == i || !hasAt(text, end, `","name":"`) {
		return stopped
	}
	e.Type = text[i:end]

	i = end + len(`","name":"`)
	if end = simpleStringEnd(text, i); end == stopped || !hasAt(text, end, `","properties":`) {
		return stopped
	}
	e.Name = sql.NullString{String: text[i:end], Valid: true}

	i = end + len(`","properties":`)
	if end = d.fastProperties(i, depth+1, e); end == stopped || !hasAt(text, end, `,"timestamp":`) {
		return stopped
	}
	if e.Timestamp, end = d.timestamps.timestamp(text, end+len(`,"timestamp":`)); !inRange(e.Timestamp) {
		return stopped
	}
	return end
}

// fastProperties scans an object. It takes the bytes of a simple one as they are.
func (d *Decoder) fastProperties(i, depth int, e *model.Event) int {
	s := &d.scan
	if end := simpleObjectEnd(s.text, i); end != stopped {
		e.Properties = s.text[i:end]
		return end
	}
	if !s.at(i, '{') {
		return stopped
	}
	s.flags = 0
	end := s.object(i, depth)
	if end == stopped || s.flags&(flagEscape|flagNonASCII) != 0 && !isLossless(s.text[i:end]) {
		return stopped
	}
	e.Properties = minify(s.text[i:end], s.flags)
	return end
}

// fastSession decodes from the comma before session to the end of the event. The id of the session must
// have the same bytes as the sessionId of the event.
func fastSession(text string, i int, id string, e *model.Event) int {
	const (
		before = len(`,"session":{"id":"`)
		within = before + uuidLen + len(`","deviceType":"`)
	)
	if len(text)-i < within {
		return stopped
	}
	head := text[i : i+within]
	if head[:11] != `,"session":` || head[11:before] != `{"id":"` ||
		head[before:before+uuidLen] != id || head[before+uuidLen:] != `","deviceType":"` {
		return stopped
	}
	i += within
	end := simpleStringEnd(text, i)
	if end == stopped || !hasAt(text, end, `","browser":"`) {
		return stopped
	}
	e.DeviceType = sql.NullString{String: text[i:end], Valid: true}

	i = end + len(`","browser":"`)
	if end = simpleStringEnd(text, i); end == stopped || !hasAt(text, end, `"}}`) {
		return stopped
	}
	e.Browser = sql.NullString{String: text[i:end], Valid: true}
	e.Extra = ""
	return end + len(`"}}`)
}
