package mockserver

import "math/bits"

// The lively shape spans the hours from beginMS to the newest event: 30 days, the last unfinished.
const (
	// beginMS is 2025-12-29T00:00Z, a Monday.
	beginMS   = 1_766_966_400_000
	msPerHour = 60 * 60 * 1000
	// livelyHours counts the last hour, which ends at the newest event.
	livelyHours = (newestMS-beginMS)/msPerHour + 1

	// badHour is Tuesday 2026-01-20, 14:00 to 15:00: see the comment of lively.
	badHour = 22*24 + 14
	// quietFrom to quietUntil is Sunday 2026-01-11, 02:00 to 06:00: no events.
	quietFrom, quietUntil = 13*24 + 2, 13*24 + 6
	// mostRepeated is the largest set whose bad hour has further events: in larger ones the hour
	// would have more events than milliseconds.
	mostRepeated = 500_000_000
)

var (
	// The weights of the hours of a working day and of a day at the weekend, in UTC.
	workdayHours = [24]uint64{
		22, 16, 13, 12, 14, 22, 42, 75, 115, 150, 165, 160, 140, 150, 165, 160, 150, 135, 125, 130, 135, 115, 75, 42,
	}
	weekendHours = [24]uint64{
		27, 20, 15, 11, 9, 11, 17, 31, 51, 72, 89, 98, 94, 89, 89, 89, 89, 89, 94, 102, 106, 94, 68, 42,
	}
	// The weights of the days, from Monday, in per cent.
	weekdays = [7]uint64{102, 100, 103, 98, 90, 100, 96}
)

// calendar says how many events each hour has. Ranks count events from 0, the oldest.
type calendar struct {
	size  int64
	first [livelyHours + 1]int64 // the rank of each hour's first event; the last entry is size
	// hint has the hour of every 2^shift-th rank, so that a search has few hours to look at.
	hint  []uint16
	shift uint
}

func newCalendar(size int, seed uint64) *calendar {
	c := &calendar{size: int64(size)}
	var weights [livelyHours + 1]uint64 // sums
	for h := range livelyHours {
		weight := hourWeight(h, seed)
		if h == badHour && size <= mostRepeated {
			weight = weight * 3 / 2 // failures are repeated
		}
		weights[h+1] = weights[h] + weight
	}
	for h := range livelyHours {
		// Integers give the same set on every machine.
		high, low := bits.Mul64(uint64(size), weights[h])
		whole, rest := bits.Div64(high, low, weights[livelyHours])
		c.first[h] = int64(whole)
		if rest > 0 {
			c.first[h]++ // so that the oldest event is at the beginning
		}
	}
	c.first[livelyHours] = c.size
	for c.size>>c.shift > 4096 {
		c.shift++
	}
	for hour, rank := 0, int64(0); rank < c.size; rank += 1 << c.shift {
		for c.first[hour+1] <= rank {
			hour++
		}
		c.hint = append(c.hint, uint16(hour))
	}
	return c
}

// hourWeight returns how many events an hour has in relation to other hours.
func hourWeight(h int, seed uint64) uint64 {
	if h >= quietFrom && h < quietUntil {
		return 0
	}
	day := h / 24
	hours := &workdayHours
	if day%7 >= 5 {
		hours = &weekendHours
	}
	// No hour is exactly as the week before.
	noise := 970 + mix(seed^uint64(day)*golden)%61 + mix(seed^uint64(h)*idStep)%101 - 50
	weight := hours[h%24] * weekdays[day%7] * noise
	return weight * uint64(hourLength(h)) / msPerHour
}

// hourLength returns how many milliseconds of an hour are before or at the newest event.
func hourLength(h int) int64 { return min(msPerHour, newestMS+1-hourStart(h)) }

// hourStart returns the beginning of an hour in epoch milliseconds.
func hourStart(h int) int64 { return beginMS + int64(h)*msPerHour }

// hourOf returns the hour of a rank from 0 to size-1.
func (c *calendar) hourOf(rank int64) int {
	hour := int(c.hint[rank>>c.shift])
	for c.first[hour+1] <= rank {
		hour++
	}
	return hour
}

// instant returns when a rank would come if the events of an hour were spread evenly over it. For
// size it returns the end of the calendar.
func (c *calendar) instant(rank int64) int64 {
	if rank >= c.size {
		return newestMS + 1
	}
	h := c.hourOf(rank)
	return hourStart(h) + (rank-c.first[h])*hourLength(h)/(c.first[h+1]-c.first[h])
}
