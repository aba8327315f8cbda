package mockserver

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
	seed      uint64
	calendar  *calendar
	cellHours int
	// newGroups is how many groups of users come for the first time in the time of the calendar.
	newGroups int64
}

const (
	rowMS = 40_000
	// grownLanes are those of the events that Grow adds, which are growStepMS apart.
	grownLanes = rowMS/growStepMS + 1
	// cellEvents is the least mean number of events in a cell.
	cellEvents = 24
)

func newLively(size int, seed uint64) *lively {
	l := &lively{seed: seed, calendar: newCalendar(size, seed), cellHours: livelyHours}
	for _, hours := range []int{7 * 24, 24, 6, 3, 1} {
		if size*hours/livelyHours >= cellEvents {
			l.cellHours = hours
		}
	}
	l.newGroups = max(1, int64(size)/(eventsPerUser*usersInGroup))
	return l
}

// cell is the events among which sessions are arranged.
type cell struct {
	first, size int64 // ranks
	lanes, rows int64
	hour        int // of the rank that the cell was looked up for
	hash        uint64
}

func (l *lively) cell(rank int64) cell {
	cal := l.calendar
	if rank >= cal.size {
		grown := (rank - cal.size) * growStepMS / msPerHour
		return cell{first: cal.size, size: 1 << 50, lanes: grownLanes, rows: 1 << 50 / grownLanes, hour: livelyHours + int(grown), hash: l.seed}
	}
	c := cell{hour: cal.hourOf(rank), lanes: 1}
	from := c.hour - c.hour%l.cellHours
	until := min(from+l.cellHours, livelyHours)
	c.first = cal.first[from]
	c.size = cal.first[until] - c.first
	if l.cellHours == 1 {
		rows := hourLength(from) / rowMS
		c.lanes = max(1, (c.size+rows/2)/rows)
	}
	c.rows = (c.size + c.lanes - 1) / c.lanes
	c.hash = mix(l.seed + uint64(from)*golden)
	return c
}

// width returns how many lanes have a row: all, except in the last row.
func (c *cell) width(row int64) int64 { return min(c.lanes, c.size-row*c.lanes) }

// shift returns how far the lanes of a row are moved in time. It differs from row to row, so that
// the time between two events of a session does too.
func (c *cell) shift(row int64) int64 {
	if c.lanes == 1 {
		return 0
	}
	return int64(mix(c.hash^uint64(row)*idStep) >> 33 % uint64(c.width(row)))
}

// rank returns the rank of a row of a lane.
func (c *cell) rank(lane, row int64) int64 {
	x := lane - c.shift(row)
	if x < 0 {
		x += c.width(row)
	}
	return c.first + row*c.lanes + x
}

// place is an event's place in its session.
type place struct {
	session int64 // the rank of its first event, which is its number
	step    int   // the number of its events before
	length  int   // the number of its events; Grow may have added its first ones only
}

// period is a timetable in its lane.
type period struct {
	lane, begin int64 // begin is the timetable's first row in the lane
	table       []entry
}

// period returns the timetable of a rank of a cell, and the row in it.
func (l *lively) period(c *cell, rank int64) (t period, at int64) {
	row, lane := (rank-c.first)/c.lanes, (rank-c.first)%c.lanes
	if lane += c.shift(row); lane >= c.width(row) {
		lane -= c.width(row)
	}
	rows := c.rows
	if lane >= c.width(c.rows-1) {
		rows--
	}
	h := mix(c.hash + uint64(lane)*idStep)
	p := partOf(row, rows, shortestTable+int64(h>>40%(tableRows-shortestTable)))
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
	p := place{session: rank, step: int(e.step), length: int(e.length)}
	if e.step > 0 {
		p.session = c.rank(t.lane, t.begin+int64(e.begin))
	}
	return p
}

// begins returns how many events the session has that begins at a rank; 0 if none does.
func (l *lively) begins(session int64) (length int) {
	c := l.cell(session)
	if p := l.place(&c, session); p.step == 0 {
		return p.length
	}
	return 0
}

// each calls do with the rank of each event of a session.
func (l *lively) each(session int64, do func(rank int64)) {
	c := l.cell(session)
	t, at := l.period(&c, session)
	for row, e := range t.table {
		if int64(e.begin) == at {
			do(c.rank(t.lane, t.begin+int64(row)))
		}
	}
}

// instant returns the timestamp of a rank that is no event of Grow.
func (l *lively) instant(rank int64) int64 {
	c := l.cell(rank)
	return l.instantIn(&c, rank)
}

func (l *lively) instantIn(c *cell, rank int64) int64 {
	cal := l.calendar
	switch {
	case rank == cal.size-1:
		return newestMS
	case c.lanes == 1:
		return l.serial(l.place(c, rank))
	}
	length, n := hourLength(c.hour), cal.first[c.hour+1]-cal.first[c.hour]
	i := rank - cal.first[c.hour]
	begin := i * length / n
	width := (i+1)*length/n - begin
	return hourStart(c.hour) + begin + int64(mix(l.seed^uint64(rank)*idStep)>>1)%width
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
func (l *lively) session(session int64) visit {
	c := l.cell(session)
	return l.visit(session, c.hour, l.place(&c, session).length)
}

// fill completes a record. With ties, the timestamp is that of the newest event at the slot.
func (l *lively) fill(r *record, rank int64, s slot) {
	c := l.cell(rank)
	p := l.place(&c, rank)
	v := l.visit(p.session, l.hourOf(p, c), p.length)
	r.session, r.user, r.device, r.browser = uint32(p.session), v.user, v.device, v.browser
	r.kind, r.page, r.cents = v.step(p)
	switch {
	case rank >= l.calendar.size: // Grow has an order of its own
	case s.position == 0:
		r.ts = l.instantIn(&c, rank)
	default:
		r.ts = l.instant(rank + s.position)
	}
}

// sorts is Dataset.sorts.
func (l *lively) sorts(rank int64) (kind uint8, session uint32) {
	c := l.cell(rank)
	p := l.place(&c, rank)
	v := l.visit(p.session, l.hourOf(p, c), p.length)
	kind, _, _ = v.step(p)
	return kind, uint32(p.session)
}

// hourOf returns the hour in which the session of an event in a cell begins.
func (l *lively) hourOf(p place, c cell) int {
	if l.cellHours == 1 && c.hour < livelyHours {
		return c.hour
	}
	first := l.cell(p.session)
	return first.hour
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
