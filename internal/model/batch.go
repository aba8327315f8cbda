package model

import (
	"github.com/google/uuid"
)

// MaxRows is how many events a batch may hold: as
// many as a row group of DuckDB. Events that make up a whole one are written into the
// file compressed, once, and are no part of the log; fewer are written into the log,
// and by the next checkpoint into the file; more leave a remnant with each commit that
// the checkpoint puts together again.
const MaxRows = 122_880

// MaxRejects is how many rejects it may hold beside them. They are compared with all that
// are stored, by keys of 70 bytes and more; and they must be less than a row group, see
// uncommitted.
const MaxRejects = MaxRows / 4

// Writers is how many batches can be written at a time.
const Writers = 2

// Batch is what one commit stores: pages of one window and the checkpoint after
// the last of them.
type Batch struct {
	Run        uuid.UUID
	Pages      []Page
	Checkpoint Checkpoint
	// Copied, where it is not nil, is called for one page after the other, by its number,
	// once its events, rejects and texts are not needed any more, so that their memory can
	// be used again. That is before the batch is compressed and committed, which takes most
	// of the time, and not for all of them where it fails earlier.
	Copied func(page int)
}

// Size returns how many events and how many rejects the batch holds.
func (b *Batch) Size() (events, rejects int) {
	for i := range b.Pages {
		events += len(b.Pages[i].Events)
		rejects += len(b.Pages[i].Rejects)
	}
	return events, rejects
}

// Committed says what a commit did.
type Committed struct {
	Counts
	// Batch is the commit's number.
	Batch int64
	// Reasons counts the rejects that were not known before by their reason.
	Reasons map[string]int64
}

// Settled is what a file holds after a whole walk.
type Settled struct {
	// Events is how many are stored, Rejected how many elements are kept as rejects
	// that are not resolved.
	Events, Rejected int64
	// Removed is how many second copies of an id were deleted.
	Removed int64
}

// Counts says what became of the elements of pages. Returned is always the sum
// of Stored, Duplicate, Rejected and Outside.
type Counts struct {
	Returned int64
	Stored   int64
	// Duplicate counts elements that were stored (or rejected) before.
	Duplicate int64
	// Conflict counts those duplicates whose payload differs from what is stored.
	Conflict int64
	// Rejected counts rejects that were not known before.
	Rejected int64
	// Outside counts elements below the window's floor.
	Outside int64
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Returned += d.Returned
	c.Stored += d.Stored
	c.Duplicate += d.Duplicate
	c.Conflict += d.Conflict
	c.Rejected += d.Rejected
	c.Outside += d.Outside
}
