package pacer

import "time"

// many is from how many requests on their time is computed by the rate alone.
const many = 1000

// Left is how long it takes at least, from now on, until the budgets have had room for so
// many requests; 0 where one of them allows everything, as far as is known. A budget that
// was seen once only counts, too.
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

// Speed is how many answers came a second of late, from the last half or more of the time
// that was spent fetching. Its zero value is ready.
type Speed struct {
	older, newer, now mark
}

type mark struct {
	fetching time.Duration
	answers  int64
}

// Came takes in that so many answers have come in that time of fetching.
func (s *Speed) Came(answers int64, fetching time.Duration) {
	s.now = mark{fetching, answers}
	if fetching >= 2*s.newer.fetching {
		s.older, s.newer = s.newer, s.now
	}
}

// Rate is answers a second; 0 where none came.
func (s *Speed) Rate() float64 {
	if s.now.fetching <= s.older.fetching {
		return 0
	}
	return float64(s.now.answers-s.older.answers) / (s.now.fetching - s.older.fetching).Seconds()
}
