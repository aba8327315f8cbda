package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"datasync/ingest/decode"

	"golang.org/x/net/http/httpguts"
)

// maxAccess is the largest answer of stream-access, in bytes.
const maxAccess = 1 << 20

// Access grants access to the feed, as an answer of stream-access does: the path of the feed, a
// token, and the name of the header that carries it.
type Access struct {
	path, token, header string
	// RenewAt is when to fetch the next one, before this one expires. If it is zero, the token is
	// used until the feed refuses it.
	RenewAt time.Time
	// Life is how long the token lives, by stream-access; 0 if it names no time.
	Life time.Duration
}

// ErrFeedUnusable means that stream-access names a path, a token or a header that is never safe to
// send.
var ErrFeedUnusable = errors.New("the feed cannot be used")

// parseAccess reads an answer of stream-access to a request of that time. It returns
// ErrFeedUnusable for values that are not safe to send.
func parseAccess(body string, requested time.Time) (*Access, error) {
	var answer struct {
		StreamAccess *struct {
			Endpoint    string  `json:"endpoint"`
			Token       string  `json:"token"`
			TokenHeader string  `json:"tokenHeader"`
			ExpiresIn   float64 `json:"expiresIn"`
		} `json:"streamAccess"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.StreamAccess == nil {
		return nil, fmt.Errorf("%w: stream-access sent no access", decode.ErrMalformed)
	}
	a := answer.StreamAccess
	if err := checkFeedPath(a.Endpoint); err != nil {
		return nil, fmt.Errorf("%w: its path is refused: %w", ErrFeedUnusable, err)
	}
	if !httpguts.ValidHeaderFieldName(a.TokenHeader) || !strings.HasPrefix(strings.ToLower(a.TokenHeader), "x-") || strings.EqualFold(a.TokenHeader, "X-API-Key") {
		return nil, fmt.Errorf("%w: its token header is refused", ErrFeedUnusable)
	}
	if a.Token == "" || len(a.Token) > 8<<10 || !httpguts.ValidHeaderFieldValue(a.Token) {
		return nil, fmt.Errorf("%w: its token is refused", ErrFeedUnusable)
	}
	access := &Access{path: a.Endpoint, token: a.Token, header: a.TokenHeader}
	if life := a.ExpiresIn; life > 0 {
		life = math.Min(life, 24*3600)
		margin := math.Min(life/10, 30)
		access.Life = time.Duration(life * float64(time.Second))
		access.RenewAt = requested.Add(time.Duration((life - margin) * float64(time.Second)))
	}
	return access, nil
}
