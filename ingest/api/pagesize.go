package api

import (
	"datasync/ingest/decode"
)

// PageTooLarge has the endpoint asked for smaller pages after it sent a page that is too large, and
// returns how large they are: half as large as that page, and half of that again as long as that
// is more than what was read of it held. It is 0 where there are no smaller ones, or the endpoint
// sends more than it is asked for.
func (c *Client) PageTooLarge(endpoint string, page *decode.TooLarge) int {
	if !page.Counted || page.Elements > page.Asked || page.Asked <= 1 {
		page.Final = page.Counted
		return 0
	}
	size := page.Asked / 2
	for size > max(page.Elements, 1) {
		size /= 2
	}
	for pageSize := c.pageSizes[endpoint]; ; {
		now := pageSize.Load()
		if now < int64(page.Asked) {
			return int(now) // another walk was there before
		}
		if pageSize.CompareAndSwap(now, int64(size)) {
			return size
		}
	}
}

// grow has the endpoint asked for larger pages again after a page of so many bytes: twice as large,
// if two such pages have half of what a page may have. So page sizes come to rest where events are
// alike, and a few large ones do not make all that follows slow.
func (c *Client) grow(endpoint string, asked, bytes int) {
	most := int(c.mostPages[endpoint].Load())
	if asked < most && bytes <= maxPage/4 && asked <= decode.MaxElements/4 {
		c.pageSizes[endpoint].CompareAndSwap(int64(asked), int64(min(2*asked, most)))
	}
}

// LimitRefused has the endpoint asked for smaller pages after it refused the limit of a request, and
// returns how large they are; 0 where no smaller ones are left.
func (c *Client) LimitRefused(endpoint string, refused int, answer *APIError) int {
	size := c.pageSizes[endpoint]
	if now := int(size.Load()); now < refused {
		return now // another walk was told the same
	}
	smaller := answer.answer.smallerPage(refused)
	if smaller > 0 {
		size.Store(int64(smaller))
		c.mostPages[endpoint].Store(int64(smaller))
	}
	return smaller
}
