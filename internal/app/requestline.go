package app

import (
	"errors"
	"strings"

	"datasync/ingest/api"
	"datasync/internal/model"
	"datasync/internal/term"
)

// requestLine describes a request and its outcome for pull --verbose, such as
//
//	GET /api/v1/events?limit=5000&cursor=#3f9a1c2277d01e5a, events: 200, 312 ms, 1.7 MB, 5,000 events
//
// The cursor is the hash that the page log has.
func requestLine(x api.Exchange) string {
	parts := []string{outcomeOf(x), term.Duration(x.Took)}
	if x.Status > 0 {
		size := term.Bytes(x.Bytes)
		if x.Gzipped {
			size += " of gzip"
		}
		parts = append(parts, size)
	}
	if x.Events >= 0 {
		parts = append(parts, term.Counted(int64(x.Events), "event"))
	}
	if x.Wait > 0 {
		parts = append(parts, "asks for a wait of "+term.Duration(x.Wait))
	}
	return x.Method + " " + x.Target + ", " + x.Endpoint + ": " + strings.Join(parts, ", ")
}

// outcomeOf returns the status, with what the API says, or why there is none.
func outcomeOf(x api.Exchange) string {
	var answer *api.Error
	switch {
	case x.Stopped:
		return "stopped"
	case errors.As(x.Err, &answer) && x.Err.Error() == answer.Error(): // else its texts are withheld
		return answer.Answer()
	case x.Err != nil:
		return api.Brief(x.Err) + " (" + model.Line(x.Err) + ")"
	case x.Events < 0 && x.Endpoint != api.StreamAccess:
		return "200, which is not a page"
	}
	return "200"
}
