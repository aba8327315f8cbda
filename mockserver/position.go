package mockserver

// position is between two events: after the one with this timestamp and id. It holds no number,
// so it stays valid when the set grows.
type position struct {
	ts int64 // epoch milliseconds
	id [16]byte
}

// target is the position that a cursor names, and what the cursor keeps of the request.
type target struct {
	position
	since  *int64
	filter filter
}
