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
	usualID        = len(`{"id":"`)
	usualSessionID = usualID + uuidLen + len(`","sessionId":"`)
	usualUserID    = usualSessionID + uuidLen + len(`","userId":"`)
	usualType      = usualUserID + uuidLen + len(`","type":"`)
)

// fastPath fills e with the event that stands at i and returns the offset behind it, or
// stopped where it is not written the usual way. Then e may be filled in part.
func (d *Decoder) fastPath(i, depth int, e *model.Event) int {
	text := d.scan.text
	if len(text)-i < usualType {
		return stopped
	}
	head := text[i : i+usualType]
	if head[:usualID] != `{"id":"` ||
		head[usualID+uuidLen:usualSessionID] != `","sessionId":"` ||
		head[usualSessionID+uuidLen:usualUserID] != `","userId":"` ||
		head[usualUserID+uuidLen:] != `","type":"` ||
		!parseUUID(head[usualID:usualID+uuidLen], &e.ID) ||
		!parseUUID(head[usualSessionID:usualSessionID+uuidLen], &e.SessionID) ||
		!parseUUID(head[usualUserID:usualUserID+uuidLen], &e.UserID.UUID) {
		return stopped
	}
	e.UserID.Valid = true
	if i = d.usualMiddle(i+usualType, depth, e); i == stopped {
		return stopped
	}
	return usualSession(text, i, head[usualSessionID:usualSessionID+uuidLen], e)
}

// usualMiddle reads from the text of type up to the comma before session.
func (d *Decoder) usualMiddle(i, depth int, e *model.Event) int {
	text := d.scan.text
	end := plainEnd(text, i)
	if end == stopped || end == i || !follows(text, end, `","name":"`) {
		return stopped
	}
	e.Type = text[i:end]

	i = end + len(`","name":"`)
	if end = plainEnd(text, i); end == stopped || !follows(text, end, `","properties":`) {
		return stopped
	}
	e.Name = sql.NullString{String: text[i:end], Valid: true}

	i = end + len(`","properties":`)
	if end = d.usualProperties(i, depth+1, e); end == stopped || !follows(text, end, `,"timestamp":`) {
		return stopped
	}
	if e.Timestamp, end = d.days.timestamp(text, end+len(`,"timestamp":`)); !permitted(e.Timestamp) {
		return stopped
	}
	return end
}

// usualProperties reads an object. Most are plain ones, which are taken as they are.
func (d *Decoder) usualProperties(i, depth int, e *model.Event) int {
	s := &d.scan
	if end := plainObject(s.text, i); end != stopped {
		e.Properties = s.text[i:end]
		return end
	}
	if !s.at(i, '{') {
		return stopped
	}
	s.notes = 0
	end := s.object(i, depth)
	if end == stopped || s.notes&(noteEscape|noteHigh) != 0 && !exact(s.text[i:end]) {
		return stopped
	}
	e.Properties = minify(s.text[i:end], s.notes)
	return end
}

// usualSession reads from the comma before session to the end of the event. The
// session's id must be written as the event's sessionId is.
func usualSession(text string, i int, id string, e *model.Event) int {
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
	end := plainEnd(text, i)
	if end == stopped || !follows(text, end, `","browser":"`) {
		return stopped
	}
	e.DeviceType = sql.NullString{String: text[i:end], Valid: true}

	i = end + len(`","browser":"`)
	if end = plainEnd(text, i); end == stopped || !follows(text, end, `"}}`) {
		return stopped
	}
	e.Browser = sql.NullString{String: text[i:end], Valid: true}
	e.Extra = ""
	return end + len(`"}}`)
}
