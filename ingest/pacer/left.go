package pacer

import "time"

// many is the number of requests from which the rate alone determines their time.
const many = 1000

// Left returns the least time from now until the budgets have room for that many requests; 0 if one of them
// has no known limit. A limit that was seen only once counts, too.
func Left(requests int, now time.Time, budgets ...*Budget) time.Duration {
	type refill struct {
		limit int
		at    time.Time
		every time.Duration
	}
	var refills []refill
	rate, room := 0.0, 0
	for _, b := range budgets {
		if b.limit <= 0 || b.window <= 0 {
			return 0
		}
		left, until := b.Left(now)
		room += left
		rate += float64(b.limit) / b.window.Seconds()
		refills = append(refills, refill{b.limit, until, b.window})
	}
	if len(refills) == 0 || requests <= room {
		return 0
	}
	if requests-room > many {
		return time.Duration(float64(requests-room) / rate * float64(time.Second))
	}
	for {
		next := &refills[0]
		for i := range refills {
			if refills[i].at.Before(next.at) {
				next = &refills[i]
			}
		}
		if room += next.limit; room >= requests {
			return next.at.Sub(now)
		}
		next.at = next.at.Add(next.every)
	}
}

// Speed measures the recent answers a second, over the last half or more of the fetching time. Its zero
// value is ready.
type Speed struct {
	older, newer, now mark
}

type mark struct {
	fetching time.Duration
	answers  int64
}

// Came records the number of answers so far and the fetching time that they took.
func (s *Speed) Came(answers int64, fetching time.Duration) {
	s.now = mark{fetching, answers}
	if fetching >= 2*s.newer.fetching {
		s.older, s.newer = s.newer, s.now
	}
}

// Rate returns answers a second; 0 without answers.
func (s *Speed) Rate() float64 {
	if s.now.fetching <= s.older.fetching {
		return 0
	}
	return float64(s.now.answers-s.older.answers) / (s.now.fetching - s.older.fetching).Seconds()
}
