package decode

import (
	"database/sql"

	"datasync/internal/model"
)

// This file reads events that are written the usual way:
//
//	{"id":"<uuid>","sessionId":"<uuid>","userId":"<uuid>","type":"...","name":"...",
//	"properties":{...},"timestamp":...,"session":{"id":"<sessionId>","deviceType":"...","browser":"..."}}
//
// with these members in this order, no white space, and strings of plain bytes: ASCII
// without escapes. It never guesses and never rejects. Wherever anything else stands
// it gives the event up, and the normalizer reads that from its beginning.

// Where the first values of such an event begin: up to there all have one length.
const (
	idStart        = len(`{"id":"`)
	sessionIDStart = idStart + uuidLen + len(`","sessionId":"`)
	userIDStart    = sessionIDStart + uuidLen + len(`","userId":"`)
	typeStart      = userIDStart + uuidLen + len(`","type":"`)
)

// fastPath fills e with the event that stands at i and returns the offset behind it, or
// stopped where it is not written the usual way. Then e may be filled in part.
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

// fastMiddle reads from the text of type up to the comma before session.
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

// fastProperties reads an object. Most are plain ones, which are taken as they are.
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

// fastSession reads from the comma before session to the end of the event. The
// session's id must be written as the event's sessionId is.
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
