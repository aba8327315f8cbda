package mockserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxBulk = 100 // ids per request
	// maxBody, in bytes, is more than maxBulk ids need.
	maxBody = 64 << 10

	maxSessions     = 5000 // per page
	defaultSessions = 100
)

// readBody reads a body up to maxBody.
func readBody(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil
	}
	return body
}

// further answers a request to an endpoint that a pull does not need.
func (s *Server) further(in *incoming) *answer {
	switch in.endpoint {
	case Sessions:
		if in.id != "" {
			return s.session(in)
		}
		return s.sessions(in)
	case SingleEvent:
		return s.singleEvent(in)
	case BulkEvents:
		return s.bulkEvents(in)
	case ServiceStats:
		return s.serviceStats()
	}
	now := time.Now().Add(s.opts.ClockSkew).UTC()
	return success([]byte(`{"status":"ok","timestamp":"` + now.Format(isoLayout) + `"}`))
}

func (s *Server) singleEvent(in *incoming) *answer {
	v := s.data.view()
	i, ok := v.find(in.id)
	if !ok {
		return s.refuse(http.StatusNotFound, "EVENT_NOT_FOUND", "No event has this id")
	}
	rd := renderer{d: s.data, epochOnly: in.phase.events.EpochOnly}
	r := s.data.record(v.key(i))
	a := success(append(rd.appendEvent([]byte(`{"data":`), &r), '}'))
	return a
}

func (s *Server) bulkEvents(in *incoming) *answer {
	var asked struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(in.body, &asked); err != nil || len(asked.IDs) == 0 || len(asked.IDs) > maxBulk {
		return s.refuse(http.StatusBadRequest, "INVALID_REQUEST", fmt.Sprintf("ids must be a list of 1 to %d ids", maxBulk))
	}
	v := s.data.view()
	rd := renderer{d: s.data, epochOnly: in.phase.events.EpochOnly}
	body, missing := []byte(`{"data":[`), []string{}
	begin := len(body)
	for _, id := range asked.IDs {
		i, ok := v.find(id)
		if !ok {
			missing = append(missing, id)
			continue
		}
		if len(body) > begin {
			body = append(body, ',')
		}
		r := s.data.record(v.key(i))
		body = rd.appendEvent(body, &r)
	}
	text, _ := json.Marshal(missing) // strings always marshal
	return success(append(append(append(body, `],"missing":`...), text...), '}'))
}

// session answers a request for one session.
func (s *Server) session(in *incoming) *answer {
	session, ok := s.data.findSession(in.id)
	events := 0
	if ok {
		events = s.data.view().sessionEvents(session)
	}
	if events == 0 {
		return s.refuse(http.StatusNotFound, "SESSION_NOT_FOUND", "No session has this id")
	}
	return success(append(s.appendSession([]byte(`{"data":`), session, events), '}'))
}

// sessions answers a request for a page of the sessions that have events, in the order of their
// numbers. In its cursors the time is such a number.
func (s *Server) sessions(in *incoming) *answer {
	limit, refused := s.limit(in, defaultSessions, maxSessions)
	if refused != nil {
		return refused
	}
	from := 0
	if cursor := in.query.Get("cursor"); cursor != "" {
		to, err := s.cursors.decode(cursor, in.now)
		if err == nil && (to.ts < 0 || !s.data.isSession(uint64(to.ts)) || s.data.sessionID(uint32(to.ts)) != to.id) {
			err = errCursorInvalid
		}
		if err != nil {
			return s.badCursor(err)
		}
		from = int(to.ts) + 1
	}
	tail := pageTail{limit: limit, cursor: `null`, serial: in.serial}
	body, last, total := []byte(`{"data":[`), 0, 0
	s.data.view().sessions(func(session uint32, events int) {
		total++
		switch {
		case int(session) < from:
		case tail.returned == limit:
			tail.more = true
		default:
			if tail.returned > 0 {
				body = append(body, ',')
			}
			body = s.appendSession(body, session, events)
			last = int(session)
			tail.returned++
		}
	})
	tail.total = strconv.Itoa(total)
	if tail.more {
		to := target{position: position{ts: int64(last), id: s.data.sessionID(uint32(last))}}
		tail.cursor = quoted(s.cursors.encode(to, in.now.Add(s.scaled(s.opts.Cursor.Life))))
	}
	return success(append(s.appendTail(append(body, `],`...), tail), '}'))
}

func (s *Server) appendSession(dst []byte, session uint32, events int) []byte {
	user, device, browser := s.data.ofSession(session)
	id, userID := s.data.sessionID(session), s.data.userID(user)
	dst = append(dst, `{"id":`...)
	dst = append(dst, quotedUUID(&id)...)
	dst = append(append(dst, `,"userId":`...), quotedUUID(&userID)...)
	dst = append(append(dst, `,"deviceType":"`...), deviceTypes[device]...)
	dst = append(append(dst, `","browser":"`...), browsers[browser]...)
	dst = append(dst, `","eventCount":`...)
	return append(strconv.AppendInt(dst, int64(events), 10), '}')
}
