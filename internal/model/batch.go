package model

import (
	"github.com/google/uuid"
)

// MaxRows is how many events a batch may hold: a row group of DuckDB. A whole row group is written into the
// file compressed, once, without the write-ahead log. Fewer rows are written into the log and again by
// the next checkpoint. More rows leave a remnant with each commit, which the checkpoint merges again.
const MaxRows = 122_880

// MaxRejects is how many rejects a batch may hold. They are compared with all stored ones, by keys of 70
// bytes and more, and must be less than a row group: see store.uncommitted.
const MaxRejects = MaxRows / 4

// Writers is how many batches are written concurrently at most.
const Writers = 2

// Batch is the content of one commit: pages of one window and the checkpoint after the last of them.
type Batch struct {
	Run        uuid.UUID
	Pages      []Page
	Checkpoint Checkpoint
	// Copied, if not nil, is called with the index of each page, one after another. From then on
	// the memory of the page's events, rejects and texts may be reused. That is before the batch is
	// compressed and committed, which takes most of the time. After a failure it may not be called
	// for all pages.
	Copied func(page int)
	// Facts are committed with the batch.
	Facts Facts
}

// Size returns how many events and how many rejects the batch holds.
func (b *Batch) Size() (events, rejects int) {
	for i := range b.Pages {
		events += len(b.Pages[i].Events)
		rejects += len(b.Pages[i].Rejects)
	}
	return events, rejects
}

// Tally adds up the events that one batch stores. One goroutine at a time calls it.
type Tally interface {
	// Add adds an event. Its texts may be reused once Add has returned.
	Add(e *Event)
	// Committed says that the batch of that number, with all events that were added, is committed. It is called
	// in the order of batches. A batch without this call is not in the file.
	Committed(batch int64)
}

// Committed is the result of a commit.
type Committed struct {
	Counts
	// Batch is the number of the commit.
	Batch int64
	// Reasons counts the new rejects by their reason.
	Reasons map[string]int64
}

// Finalized is the content of a file after a whole walk.
type Finalized struct {
	// Events is how many events are stored, Rejected how many rejects are not resolved.
	Events, Rejected int64
	// Removed is how many duplicates of an id were deleted.
	Removed int64
}

// Counts counts the elements of pages by their outcome. Returned is the sum of Stored, Duplicate,
// Rejected and Outside.
type Counts struct {
	Returned int64
	Stored   int64
	// Duplicate counts elements that are already stored, as events or rejects.
	Duplicate int64
	// Conflict counts the duplicates whose content differs from the stored one.
	Conflict int64
	// Rejected counts new rejects.
	Rejected int64
	// Outside counts elements out of range, below the start bound.
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
