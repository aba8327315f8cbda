package api

import (
	"datasync/ingest/decode"
)

// PageTooLarge halves the page size of an endpoint that sent a page over a limit. It halves again
// while the size exceeds the elements that were read of that page. It returns the new size in
// events, or 0 if there is no smaller one or the endpoint ignores the limit of a request.
func (c *Client) PageTooLarge(endpoint string, page *decode.TooLarge) int {
	if !page.Counted || page.Elements > page.Requested || page.Requested <= 1 {
		page.Final = page.Counted
		return 0
	}
	size := page.Requested / 2
	for size > max(page.Elements, 1) {
		size /= 2
	}
	for pageSize := c.pageSizes[endpoint]; ; {
		now := pageSize.Load()
		if now < int64(page.Requested) {
			return int(now) // another walk has reduced it already
		}
		if pageSize.CompareAndSwap(now, int64(size)) {
			return size
		}
	}
}

// grow doubles the page size of an endpoint after a page of the given events and bytes. It does so
// only if two such pages are at most half of the limits. So a few large events do not slow down all
// later pages, and the size converges if events are alike.
func (c *Client) grow(endpoint string, limit, bytes int) {
	largest := int(c.maxPageSizes[endpoint].Load())
	if limit < largest && bytes <= maxPage/4 && limit <= decode.MaxElements/4 {
		c.pageSizes[endpoint].CompareAndSwap(int64(limit), int64(min(2*limit, largest)))
	}
}

// LimitRefused reduces the page size of an endpoint that refused the limit of a request. It returns
// the new size in events, or 0 if there is no smaller one.
func (c *Client) LimitRefused(endpoint string, refused int, answer *Error) int {
	size := c.pageSizes[endpoint]
	if now := int(size.Load()); now < refused {
		return now // another walk has reduced it already
	}
	smaller := answer.reply.smallerPage(refused)
	if smaller > 0 {
		size.Store(int64(smaller))
		c.maxPageSizes[endpoint].Store(int64(smaller))
	}
	return smaller
}
