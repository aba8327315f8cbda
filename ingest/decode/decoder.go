package decode

// Decoder decodes one page after another. From each it learns the notation and the order of member
// names for the next one, but keeps none of its memory. It is for one goroutine at a time.
type Decoder struct {
	scan            scanner
	norm            *normalizer
	timestamps      timestampReader
	page            Page
	keys            rejectKeys
	tooManyElements bool // the page has more than MaxElements
	// cuts are the truncated elements of the next page, by their offsets.
	cuts map[int]Cut

	top, pagination, meta *objectSplitter
}

// The members of a page, as indexes of the values of newPageSplitter. The flat form of a page has the
// members of pagination and meta at its top level.
const (
	pageData = iota
	pagePagination
	pageMeta
	pageHasMore
	pageNextCursor
	pageCursorExpiresIn
	pageTotal
	pageReturned
	pageRequestID
)

func newPageSplitter() *objectSplitter {
	return newSplitter("data", "pagination", "meta",
		"hasMore", "nextCursor", "cursorExpiresIn", "total", "returned", "requestId")
}

func newPaginationSplitter() *objectSplitter {
	return newSplitter("hasMore", "nextCursor", "cursorExpiresIn")
}

func newMetaSplitter() *objectSplitter { return newSplitter("total", "returned", "requestId") }

// pagination and meta are two groups of members. Each has an object of its own or, in the flat form,
// is at the top level.
type (
	pagination struct{ hasMore, nextCursor, cursorExpiresIn value }
	meta       struct{ total, returned, requestID value }
)
