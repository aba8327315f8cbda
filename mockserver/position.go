package mockserver

// position is a place between events: behind the one with this timestamp and
// id. It does not name a number, so it stays right when the set grows.
type position struct {
	ts int64 // epoch milliseconds
	id [16]byte
}

// target is where a cursor leads, and what it keeps of the request.
type target struct {
	position
	since  *int64
	filter filter
}
