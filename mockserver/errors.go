package mockserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

// hints are the member hint of some errors, by their codes.
var hints = map[string]string{
	"ENDPOINT_NOT_FOUND": "Events are at " + EventsPath,
	"INVALID_API_KEY":    "Send the key in the header X-API-Key",
	"DASHBOARD_REQUIRED": "Open the dashboard in a browser",
}

// statusText returns a text for every status, known or not.
func statusText(status int) string {
	return cmp.Or(http.StatusText(status), "Status "+strconv.Itoa(status))
}

// refuse returns an error in the API's form.
func (s *Server) refuse(status int, code, message string) *answer {
	return &answer{status: status, header: jsonHeader(), body: []byte(s.errorBody(status, code, message))}
}

func (s *Server) errorBody(status int, code, message string) string {
	hint := hints[code]
	if s.opts.OmitErrorCode {
		code = ""
	}
	// Strings always marshal.
	text, _ := json.Marshal(struct {
		Error   string `json:"error"`
		Code    string `json:"code,omitempty"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
	}{statusText(status), code, message, hint})
	return string(text)
}

func (s *Server) keyRefused() *answer {
	return s.refuse(http.StatusUnauthorized, "INVALID_API_KEY", "The API key is missing, wrong or no longer valid")
}

func (s *Server) badCursor(err error) *answer {
	c := s.opts.Cursor
	if c.Unnamed || c.ErrorStatus >= http.StatusInternalServerError {
		return s.bareError(c.ErrorStatus)
	}
	expired := errors.As(err, new(*cursorExpiredError))
	code := "CURSOR_INVALID_FORMAT"
	switch {
	case expired && c.SwapWords:
		code = "EXPIRED_CURSOR"
	case expired:
		code = "CURSOR_EXPIRED"
	case c.SwapWords:
		code = "INVALID_CURSOR"
	case c.ShortWords:
		code = "CURSOR_INVALID"
	}
	return s.refuse(c.ErrorStatus, code, err.Error())
}

// bareError returns an error that names its status only.
func (s *Server) bareError(status int) *answer { return s.refuse(status, "", statusText(status)) }

// quoted returns text as a JSON string.
func quoted(text string) string {
	b, _ := json.Marshal(text) // strings always marshal
	return string(b)
}

// errorAfter returns a bareError with a Retry-After, rounded up to whole seconds.
func (s *Server) errorAfter(status int, wait time.Duration) *answer {
	a := s.bareError(status)
	seconds := wholeSeconds(wait)
	a.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	a.wait = time.Duration(seconds) * time.Second
	return a
}

// success returns a 200 with this JSON.
func success(body []byte) *answer {
	return &answer{status: http.StatusOK, header: jsonHeader(), body: body}
}
