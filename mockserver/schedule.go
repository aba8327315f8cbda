package mockserver

// A timetable says in which rows of a lane of sessions which session has an event: see lively. It
// has a row for each event, and its sessions are complete.
type timetable [longestTable]entry

// entry is a row of a timetable.
type entry struct {
	begin  uint8 // the row of the session's first event
	step   uint8 // the number of the session's events before this row
	length uint8 // the number of the session's events
}

const (
	tableRows     = 24 // of an ordinary timetable
	shortestTable = 6  // a shorter rest is appended to the timetable before it
	longestTable  = tableRows + shortestTable - 1
	tableKinds    = 8 // timetables of a length

	// longestSession is the largest of sessionLengths, and what a timetable adds to one.
	longestSession = 14
)

// sessionLengths are the lengths of sessions, each as often as it is chosen: the median is 4.
var sessionLengths = [...]uint8{
	1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 8, 9, 12,
}

// timetables has timetables by their number of rows. In those of serial, sessions come one after
// the other; in those of parallel, two at a time.
var serialTables, parallelTables = newTimetables(1), newTimetables(2)

func newTimetables(parallel int) (tables [longestTable + 1][tableKinds]timetable) {
	random := uint64(parallel)
	below := func(n int) int {
		random = mix(random)
		return int(random >> 32 % uint64(n))
	}
	for rows := 1; rows <= longestTable; rows++ {
		for kind := range tableKinds {
			fillTimetable(tables[rows][kind][:rows], parallel, below)
		}
	}
	return tables
}

func fillTimetable(rows []entry, parallel int, below func(n int) int) {
	type session struct{ begin, done, length int }
	var running []*session
	planned := 0 // rows of the sessions so far
	for row := range rows {
		var i int // the session that has an event in this row
		if left := len(rows) - planned; left > 0 && (len(running) == 0 || len(running) < parallel && below(2) == 0) {
			length := min(int(sessionLengths[below(len(sessionLengths))]), max(3, len(rows)/2))
			if left-length < 3 {
				length = min(left, length+2) // no rest that can only be a short session
			}
			running = append(running, &session{begin: row, length: length})
			planned += length
			i = len(running) - 1
		} else {
			i = below(len(running))
		}
		s := running[i]
		rows[row] = entry{begin: uint8(s.begin), step: uint8(s.done), length: uint8(s.length)}
		if s.done++; s.done == s.length {
			running = append(running[:i], running[i+1:]...)
		}
	}
}

// part is the rows of a lane that have one timetable.
type part struct {
	number uint32 // of the timetable in the lane
	begin  uint32 // its first row in the lane
	rows   uint32 // its length
}

// partOf returns the part of a lane that a row belongs to. The first timetable has first rows, so
// that not all lanes change theirs at one time.
func partOf(row, rows, first uint32) part {
	if rows <= longestTable {
		return part{rows: rows}
	}
	if row < first {
		return part{rows: first}
	}
	whole, rest := (rows-first)/tableRows, (rows-first)%tableRows
	p := part{number: 1 + (row-first)/tableRows, rows: tableRows}
	switch {
	case p.number < whole:
	case rest >= shortestTable || whole == 0:
		if p.number > whole {
			p.rows = rest
		}
	default: // the rest is part of the last whole one
		p.number, p.rows = whole, tableRows+rest
	}
	p.begin = first + (p.number-1)*tableRows
	return p
}
