package mockserver

import (
	"math"
	"math/bits"
)

// lively is the shape of ShapeLively. An event's rank counts from 0, the oldest; rank and seed
// determine the event, in constant time.
//
// The calendar says how many events an hour has: few at night and at the weekend, none in the
// quiet hours. The events of a cell, one hour of a large set, belong to sessions that begin and end
// in it. A cell has lanes, as many as keep a row, one event of each lane, at about 40 seconds. A
// lane is a sequence of timetables, whose rows are events of sessions, so a session takes minutes
// however many events the set has. A cell with one lane has its sessions one after the other, with
// pauses in between.
//
// A session has one user, device and browser. Its events lead through the funnel up to the session's
// stage. In the bad hour many sessions fail: their browser is Safari, their page the checkout, and
// nearly all of their events are errors.
type lively struct {
	seed     uint64
	calendar *calendar
	// cells has the cell of each hour, then that of the events that Grow adds.
	cells [livelyHours + 1]cell
	whole bool // each cell is one hour
	// newGroups is how many groups of users come for the first time in the time of the calendar.
	newGroups uint64
}

const (
	rowMS = 40_000
	// The cell of the events that Grow adds, which are growStepMS apart, has no end in practice.
	grownLanes = rowMS/growStepMS + 1
	grownRows  = 1 << 25
	// cellEvents is the least mean number of events in a cell.
	cellEvents = 24
)

func newLively(size int, seed uint64) *lively {
	l := &lively{seed: seed, calendar: newCalendar(size, seed)}
	l.newGroups = uint64(max(1, size/(eventsPerUser*usersInGroup)))
	hours := livelyHours
	for _, n := range []int{7 * 24, 24, 6, 3, 1} {
		if size*n/livelyHours >= cellEvents {
			hours = n
		}
	}
	l.whole = hours == 1
	for hour := range livelyHours {
		l.cells[hour] = l.newCell(hour-hour%hours, hours)
	}
	l.cells[livelyHours] = cell{
		first: int64(size), lanes: grownLanes, rows: grownRows, lastWidth: grownLanes, inverse: inverseOf(grownLanes), hash: seed,
	}
	return l
}

// cell is the events among which sessions are arranged. Events, lanes and rows of a cell count from
// 0.
type cell struct {
	first       int64 // rank
	lanes, rows uint32
	lastWidth   uint32 // how many lanes have the last row
	inverse     uint64 // of lanes: see divide
	hash        uint64
}

// newCell returns the cell that begins with an hour. A cell of several hours has one lane.
func (l *lively) newCell(from, hours int) cell {
	cal := l.calendar
	first := cal.first[from]
	size := cal.first[min(from+hours, livelyHours)] - first
	lanes := int64(1)
	if hours == 1 {
		rows := hourLength(from) / rowMS
		lanes = max(1, (size+rows/2)/rows)
	}
	rows := (size + lanes - 1) / lanes
	return cell{
		first: first, lanes: uint32(lanes), rows: uint32(rows), lastWidth: uint32(size - (rows-1)*lanes),
		inverse: inverseOf(uint32(lanes)), hash: mix(l.seed + uint64(from)*golden),
	}
}

// inverseOf returns the number by which divide multiplies instead of dividing by n, which is at least
// 2.
func inverseOf(n uint32) uint64 { return math.MaxUint64/uint64(n) + 1 }

// divide returns the row and the lane of an event before the shift. A multiplication is several
// times as fast as a division, and exact for numbers of 32 bits.
func (c *cell) divide(i uint32) (row, rest uint32) {
	if c.lanes == 1 {
		return i, 0
	}
	high, low := bits.Mul64(uint64(i), c.inverse)
	above, _ := bits.Mul64(low, uint64(c.lanes))
	return uint32(high), uint32(above)
}

// cell returns the cell of a rank, and the rank's hour.
func (l *lively) cell(rank int64) (c *cell, hour int) {
	if rank >= l.calendar.size {
		return &l.cells[livelyHours], livelyHours + int((rank-l.calendar.size)*growStepMS/msPerHour)
	}
	hour = l.calendar.hourOf(rank)
	return &l.cells[hour], hour
}

// width returns how many lanes have a row.
func (c *cell) width(row uint32) uint32 {
	if row+1 < c.rows {
		return c.lanes
	}
	return c.lastWidth
}

// shift returns how far the lanes of a row are moved in time. It differs from row to row, so that
// the time between two events of a session does too.
func (c *cell) shift(row, width uint32) uint32 {
	if c.lanes == 1 {
		return 0
	}
	x := uint32(mix(c.hash^uint64(row)*idStep) >> 33)
	if width == c.lanes {
		_, x = c.divide(x)
		return x
	}
	return x % width
}

// rank returns the rank of a row of a lane.
func (c *cell) rank(lane, row uint32) int64 {
	width := c.width(row)
	x := lane + width - c.shift(row, width)
	if x >= width {
		x -= width
	}
	return c.first + int64(row)*int64(c.lanes) + int64(x)
}

// place is an event's place in its session.
type place struct {
	session int64 // the rank of its first event, which is its number
	step    int   // the number of its events before
	length  int   // the number of its events; Grow may have added its first ones only
}

// period is a timetable in its lane.
type period struct {
	lane, begin uint32 // begin is the timetable's first row in the lane
	table       []entry
}

// period returns the timetable of a rank of a cell, and the row in it.
func (l *lively) period(c *cell, rank int64) (t period, at uint32) {
	i := uint32(rank - c.first)
	row, lane := c.divide(i)
	width := c.width(row)
	if lane += c.shift(row, width); lane >= width {
		lane -= width
	}
	rows := c.rows
	if lane >= c.lastWidth {
		rows--
	}
	h := mix(c.hash + uint64(lane)*idStep)
	p := partOf(row, rows, shortestTable+uint32(h>>40%(tableRows-shortestTable)))
	tables := &parallelTables
	if c.lanes == 1 {
		tables = &serialTables
	}
	kind := mix(h^uint64(p.number)) >> 32 % tableKinds
	return period{lane: lane, begin: p.begin, table: tables[p.rows][kind][:p.rows]}, row - p.begin
}

// place returns the place of a rank of a cell.
func (l *lively) place(c *cell, rank int64) place {
	t, at := l.period(c, rank)
	e := t.table[at]
	return place{session: c.rank(t.lane, t.begin+uint32(e.begin)), step: int(e.step), length: int(e.length)}
}

// begins returns how many events the session has that begins at a rank; 0 if none does.
func (l *lively) begins(session int64) (length int) {
	c, _ := l.cell(session)
	if p := l.place(c, session); p.step == 0 {
		return p.length
	}
	return 0
}

// mayBelong reports whether a rank is in the cell of a session, and not before its first event.
func (l *lively) mayBelong(rank, session int64) bool {
	c, _ := l.cell(session)
	return rank >= session && rank-c.first < int64(c.rows)*int64(c.lanes)
}

// each calls do with the rank of each event of a session.
func (l *lively) each(session int64, do func(rank int64)) {
	c, _ := l.cell(session)
	t, at := l.period(c, session)
	for row, e := range t.table {
		if uint32(e.begin) == at {
			do(c.rank(t.lane, t.begin+uint32(row)))
		}
	}
}

// instant returns the timestamp of a rank that is no event of Grow.
func (l *lively) instant(rank int64) int64 {
	c, hour := l.cell(rank)
	return l.instantIn(c, hour, rank)
}

func (l *lively) instantIn(c *cell, hour int, rank int64) int64 {
	cal := l.calendar
	switch {
	case rank == cal.size-1:
		return newestMS
	case c.lanes == 1:
		return l.serial(l.place(c, rank))
	}
	length, n := hourLength(hour), cal.first[hour+1]-cal.first[hour]
	i := rank - cal.first[hour]
	begin := i * length / n
	width := (i*length - begin*n + length) / n
	return hourStart(hour) + begin + int64(mix(l.seed^uint64(rank)*idStep)>>1)%width
}

// serial returns the timestamp of an event in a cell with one lane, where the ranks of a session
// follow one another.
func (l *lively) serial(p place) int64 {
	cal := l.calendar
	next := p.session + int64(p.length)
	h := l.hash(p.session)
	var at, whole int64 // from the session's first event to this one and to its last one
	for step := 1; step < p.length; step++ {
		u := int64(mix(h+uint64(step)) >> 48)
		whole += 8000 + 140_000*(u*u>>16)>>16 // milliseconds
		if step == p.step {
			at = whole
		}
	}
	hour, lastHour := cal.hourOf(p.session), cal.hourOf(next-1)
	begin := cal.instant(p.session)
	end := min(cal.instant(next), hourStart(lastHour)+hourLength(lastHour))
	if room := end - begin - 1; whole > room {
		at, whole = at*room/whole, room
	}
	if next == cal.size {
		return newestMS - whole + at
	}
	pause := min(end-begin-whole, hourStart(hour)+hourLength(hour)-begin)
	return begin + int64(h>>1)%pause + at
}

// hash returns the number that a session's values are computed from.
func (l *lively) hash(session int64) uint64 { return mix(l.seed ^ uint64(session)*golden) }

// session returns the session with this number.
func (l *lively) session(session int64) (v visit) {
	c, hour := l.cell(session)
	l.visit(&v, session, hour, l.place(c, session).length)
	return v
}

// visitOf makes v the session of an event at a place.
func (l *lively) visitOf(v *visit, p place, hour int) {
	if !l.whole || hour >= livelyHours {
		_, hour = l.cell(p.session)
	}
	l.visit(v, p.session, hour, p.length)
}

// fill completes a record. With ties, the timestamp is that of the newest event at the slot.
func (l *lively) fill(r *record, rank int64, s slot) {
	c, hour := l.cell(rank)
	p := l.place(c, rank)
	var v visit
	l.visitOf(&v, p, hour)
	r.session, r.user, r.device, r.browser = uint32(p.session), v.user, v.device, v.browser
	r.kind, r.page, r.cents = v.step(p)
	switch {
	case rank >= l.calendar.size: // Grow has an order of its own
	case s.position == 0:
		r.ts = l.instantIn(c, hour, rank)
	default:
		r.ts = l.instant(rank + s.position)
	}
}

// sorts is Dataset.sorts.
func (l *lively) sorts(rank int64) (kind uint8, session uint32) {
	c, hour := l.cell(rank)
	p := l.place(c, rank)
	var v visit
	l.visitOf(&v, p, hour)
	kind, _, _ = v.step(p)
	return kind, uint32(p.session)
}

// rejectEvery is how many events of the bad hour come with one that clients must reject.
const rejectEvery = 100

// livelyRejects are the malformed events of the bad hour, in turn.
var livelyRejects = [...]Malformed{TimestampGarbage, SessionIDMissing, TypeNull, IDMalformed}

// malformed returns the kind of a rank that no option makes malformed.
func (l *lively) malformed(rank int64) Malformed {
	i := rank - l.calendar.first[badHour]
	if i < 0 || rank >= l.calendar.first[badHour+1] || i%rejectEvery != rejectEvery/2 {
		return Clean
	}
	return livelyRejects[i/rejectEvery%int64(len(livelyRejects))]
}
