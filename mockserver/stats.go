package mockserver

import (
	"encoding/json"
)

// typeCount is an entry of a distribution.
type typeCount struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// serviceStats answers a request for the service's own counts.
func (s *Server) serviceStats() *answer {
	v := s.data.view()
	c := v.counts()
	var body struct {
		Counts struct {
			Events   int `json:"events"`
			Sessions int `json:"sessions"`
			Users    int `json:"users"`
		} `json:"counts"`
		Distributions struct {
			EventTypes  []typeCount `json:"eventTypes"`
			DeviceTypes []typeCount `json:"deviceTypes"`
		} `json:"distributions"`
		Cache struct {
			Entries int `json:"entries"`
			Hits    int `json:"hits"`
		} `json:"cache"`
	}
	for i, name := range kindNames {
		body.Distributions.EventTypes = append(body.Distributions.EventTypes, typeCount{name, c.kinds[i]})
	}
	for _, name := range deviceTypes {
		body.Distributions.DeviceTypes = append(body.Distributions.DeviceTypes, typeCount{Type: name})
	}
	users := map[uint32]bool{}
	v.sessions(func(session uint32, events int) {
		user, device, _ := s.data.ofSession(session)
		users[user] = true
		body.Distributions.DeviceTypes[device].Count += events
		body.Counts.Sessions++
	})
	body.Counts.Events, body.Counts.Users = v.visible(), len(users)
	s.mu.Lock()
	for _, cache := range s.caches {
		body.Cache.Entries += len(cache)
	}
	body.Cache.Hits = s.journal.cacheHits
	s.mu.Unlock()
	text, _ := json.Marshal(body) // numbers and plain strings always marshal
	return success(text)
}
