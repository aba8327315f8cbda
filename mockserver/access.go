package mockserver

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

func (s *Server) streamAccess(in *incoming) *answer {
	refused, header := s.admit(in)
	if refused != nil {
		return refused
	}
	if refuse := s.opts.Access.RefuseScripts || s.opts.Strict; refuse && !looksLikeBrowser(in.header) {
		return s.dashboardRequired()
	}
	if s.opts.Strict && !announcesJSON(in.header) {
		return s.dashboardRequired()
	}
	life := s.scaled(s.opts.Access.TokenLife)
	plan := accessPlan{
		header:    s.opts.Access.TokenHeader,
		expiresIn: s.opts.Access.StatedLife,
	}
	if plan.expiresIn == "" {
		plan.expiresIn = lifeSeconds(life)
	}

	s.mu.Lock()
	paths := s.opts.Access.FeedPaths
	plan.endpoint = paths[s.handed%len(paths)]
	plan.token = s.newToken(s.handed)
	s.handed++
	if in.fault.access != nil {
		in.fault.access(&plan)
	}
	for token, end := range s.tokens {
		if !in.now.Before(end) {
			delete(s.tokens, token)
		}
	}
	// A new token does not end the older ones.
	s.tokens[plan.token] = in.now.Add(s.scaled(s.opts.Access.Latency) + life)
	s.mu.Unlock()

	body := `{"streamAccess":{"endpoint":` + quoted(plan.endpoint) + `,"token":` + quoted(plan.token)
	if plan.expiresIn != Omitted {
		body += `,"expiresIn":` + plan.expiresIn
	}
	body += `,"tokenHeader":` + quoted(plan.header) + `},"meta":{"generatedAt":` +
		quoted(in.now.Add(s.opts.ClockSkew).UTC().Format(isoLayout)) +
		`,"note":"Send the token with each request to the endpoint, and ask again before it expires"}}`
	return &answer{
		status: http.StatusOK, header: header, body: []byte(body),
		delay: s.scaled(s.opts.Access.Latency),
	}
}

// newToken returns a token of 64 hex digits.
func (s *Server) newToken(n int) string {
	var raw [32]byte
	for i := range raw {
		raw[i] = byte(mix(s.opts.FaultSeed ^ uint64(n)<<8 ^ uint64(i)))
	}
	return hex.EncodeToString(raw[:])
}

func (s *Server) tokenAlive(token string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.tokens[token]
	return ok && token != "" && now.Before(end)
}

// rejectToken ends the life of the request's token and refuses it.
func (s *Server) rejectToken(in *incoming) *answer {
	s.mu.Lock()
	delete(s.tokens, in.header.Get(s.opts.Access.TokenHeader))
	s.mu.Unlock()
	return s.tokenRejected()
}

func (s *Server) tokenRejected() *answer {
	return s.refuse(http.StatusForbidden, "INVALID_STREAM_TOKEN", "Stream token is missing, wrong or expired")
}

func (s *Server) dashboardRequired() *answer {
	return s.refuse(http.StatusForbidden, "DASHBOARD_REQUIRED", "Stream access is only available from the dashboard")
}

// looksLikeBrowser is the check that the live service was observed to make.
func looksLikeBrowser(h http.Header) bool {
	return strings.Contains(h.Get("User-Agent"), "Mozilla/")
}

func announcesJSON(h http.Header) bool {
	contentType, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(contentType), "application/json")
}
