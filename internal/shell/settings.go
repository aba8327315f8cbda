package shell

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"datasync/internal/human"
	"datasync/internal/term"
	"datasync/query"
)

func (s *shell) maxRows(_ context.Context, argument string) error {
	if argument == "" {
		shown := s.Query.MaxRows
		if shown == 0 {
			shown = query.DefaultTableRows
		}
		s.print(strconv.Itoa(max(0, shown)))
		return nil
	}
	n, err := strconv.Atoi(argument)
	if strings.EqualFold(argument, "all") {
		n, err = 0, nil
	}
	if err != nil || n < 0 {
		s.complain(fmt.Sprintf(".maxrows %s: want a number, 0 or more", argument))
		return nil
	}
	if s.Query.MaxRows = n; n == 0 {
		s.Query.MaxRows = -1
	}
	return nil
}

func (s *shell) mode(_ context.Context, argument string) error {
	if argument == "" {
		s.print(fmt.Sprint(s.Query.Format))
		return nil
	}
	f, err := query.ParseFormat(argument)
	if err != nil {
		s.complain(fmt.Sprintf(".mode %s: %v", argument, err))
		return nil
	}
	s.Query.Format = f
	return nil
}

func (s *shell) timer(_ context.Context, argument string) error {
	switch argument = strings.ToLower(argument); argument {
	case "":
		state := "off"
		if s.Timing {
			state = "on"
		}
		s.print(state)
	case "on", "off":
		s.Timing = argument == "on"
	default:
		s.complain(fmt.Sprintf(".timer %s: want on or off", argument))
	}
	return nil
}

// setTimezone shows or sets the time zone. DuckDB keeps that of a session that is open.
func (s *shell) setTimezone(ctx context.Context, zone string) error {
	if zone == "" {
		s.print(s.Timezone)
		return nil
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		if likely := human.LikelyZone(zone); likely != "" {
			s.complain(fmt.Sprintf(".timezone %s is not a time zone; did you mean %s?", zone, likely))
		} else {
			s.complain(fmt.Sprintf(".timezone %s is not a time zone such as UTC or Europe/Berlin", zone))
		}
		return nil
	}
	if state := s.held(); len(state) > 0 {
		s.complain("this session keeps its time zone; .close it first, which loses " + strings.Join(state, ", "))
		return nil
	}
	oldZone, oldLocation := s.Timezone, s.Query.Location
	s.Timezone, s.Query.Location = zone, location
	// DuckDB has rules of its own, and may not know the zone.
	if err := s.use(ctx, func(*File) error { return nil }); err != nil {
		s.Timezone, s.Query.Location = oldZone, oldLocation
		s.complain(s.Explain(err))
	}
	return nil
}

// held returns the state that the end of the session would lose.
func (s *shell) held() []string {
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	return s.file.state
}

// param lists, sets or removes the values of parameters.
func (s *shell) param(_ context.Context, argument string) error {
	name, value, sets := strings.Cut(argument, "=")
	if name = strings.TrimPrefix(strings.TrimSpace(name), "$"); sets {
		if name == "" || strings.ContainsAny(name, " \t") {
			s.complain(fmt.Sprintf(".param %s: want NAME=VALUE", argument))
			return nil
		}
		params := maps.Clone(s.Query.Params)
		if params == nil {
			params = map[string]string{}
		}
		params[name] = unquoted(strings.TrimSpace(value))
		s.Query.Params = params
		return nil
	}
	argument = strings.TrimRight(argument, "; \t")
	if argument == "" || argument == "list" {
		for _, name := range slices.Sorted(maps.Keys(s.Query.Params)) {
			s.print(term.Visible(name + "=" + s.Query.Params[name]))
		}
		return nil
	}
	name, isUnset := strings.CutPrefix(argument, "unset ")
	if name = strings.TrimPrefix(strings.TrimSpace(name), "$"); !isUnset {
		s.complain(fmt.Sprintf(".param %s: want NAME=VALUE, or unset NAME", argument))
		return nil
	}
	if _, ok := s.Query.Params[name]; !ok {
		s.complain(fmt.Sprintf("$%s has no value; see .param", name))
		return nil
	}
	s.Query.Params = maps.Clone(s.Query.Params)
	delete(s.Query.Params, name)
	return nil
}
