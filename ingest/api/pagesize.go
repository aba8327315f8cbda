package api

import (
	"sync/atomic"

	"datasync/ingest/decode"
)

const (
	// maxPage is the largest page, in bytes after decompression. A page of 100,000 events has
	// about 35 MB.
	maxPage = 128 << 20
	// minGuessedPageSize is the smallest page size to try if the API names no number.
	minGuessedPageSize = 10
)

// pageSize is how many events a full page of one endpoint requests. It is safe for concurrent use.
type pageSize struct {
	// current is at first the configured size, then the one that the endpoint accepts.
	current atomic.Int64
	// largest bounds current: it is the configured size, or the API's maximum.
	largest atomic.Int64
}

func newPageSize(configured int) *pageSize {
	p := &pageSize{}
	p.current.Store(int64(configured))
	p.largest.Store(int64(configured))
	return p
}

// halve halves the size after a page over a limit, and halves again while the size exceeds the
// elements that were read of that page. It returns the new size, or 0 if there is no smaller one or
// the endpoint ignores the limit of a request.
func (p *pageSize) halve(page *decode.TooLarge) int {
	if !page.Counted || page.Elements > page.Requested || page.Requested <= 1 {
		page.Final = page.Counted
		return 0
	}
	size := page.Requested / 2
	for size > max(page.Elements, 1) {
		size /= 2
	}
	for {
		now := p.current.Load()
		if now < int64(page.Requested) {
			return int(now) // another walk has reduced it already
		}
		if p.current.CompareAndSwap(now, int64(size)) {
			return size
		}
	}
}

// grow doubles the size after a page of the given events and bytes, if two such pages are at most
// half of the limits. So a few large events do not slow down all later pages, and the size
// converges if events are alike.
func (p *pageSize) grow(limit, bytes int) {
	largest := int(p.largest.Load())
	if limit < largest && bytes <= maxPage/4 && limit <= decode.MaxElements/4 {
		p.current.CompareAndSwap(int64(limit), int64(min(2*limit, largest)))
	}
}

// limitRefused reduces the size after an answer that refused the limit of a request and named these
// maximums. It returns the new size, or 0 if there is no smaller one.
func (p *pageSize) limitRefused(refused int, maximums []int) int {
	if now := int(p.current.Load()); now < refused {
		return now // another walk has reduced it already
	}
	smaller := smallerPage(refused, maximums)
	if smaller > 0 {
		p.current.Store(int64(smaller))
		p.largest.Store(int64(smaller))
	}
	return smaller
}

// smallerPage returns the page size to request after a refused one: the largest maximum below it,
// or else a tenth. It is 0 if none remains.
func smallerPage(refused int, maximums []int) int {
	smaller := 0
	for _, n := range maximums {
		if n < refused {
			smaller = max(smaller, n)
		}
	}
	if smaller == 0 && refused/10 >= minGuessedPageSize {
		smaller = refused / 10
	}
	return smaller
}
