package decode

import "strings"

// tailWindow is how many bytes at the end of a page are searched for its pagination.
const tailWindow = 8 << 10

// PeekTail finds the pagination at the end of a page without decoding the rest, so that the next request
// can start at once. It is a hint: the caller must compare it with the result of the decoder.
//
// It parses members of the top-level object up to the closing brace and the end of the body. In a whole
// page, only such members can be parsed so: a look-alike within an event is followed by the closing
// brackets of data, and one within a string by an extra quote.
func PeekTail(body string) (tail, bool) {
	window := body[max(0, len(body)-tailWindow):]
	if t, ok := peekNested(window); ok {
		return t, true
	}
	return peekFlat(body, window)
}

// peekNested finds the last member named pagination. Since the last duplicate counts, the text before it
// does not matter.
func peekNested(window string) (tail, bool) {
	at := strings.LastIndex(window, `"pagination"`)
	if at < 0 {
		return tail{}, false
	}
	// The quote may be an escaped one, within a name that ends in the same way.
	before := strings.TrimRight(window[:at], " \t\r\n")
	if before == "" || before[len(before)-1] != ',' && before[len(before)-1] != '{' {
		return tail{}, false
	}
	s, top := scanner{text: window}, newPageSplitter()
	if !s.splitToEnd(at, top) || s.absent(top.values[pagePagination]) {
		return tail{}, false
	}
	return s.peek(top)
}

// peekFlat finds the pagination of a page whose only member before its end is data: in the flat form, any
// earlier member might be a duplicate of the last ones. It looks for the end of data: the first
// closing bracket that only members follow. (If another array of more than tailWindow bytes follows
// data, it may take the end of that.)
func peekFlat(body, window string) (tail, bool) {
	if !strings.Contains(window, `"hasMore"`) || !beginsWithData(body) {
		return tail{}, false
	}
	s, top := scanner{text: window}, newPageSplitter()
	for at := 0; ; at++ {
		next := strings.IndexByte(window[at:], ']')
		if next < 0 {
			return tail{}, false
		}
		at += next
		i := s.space(at + 1)
		if s.at(i, ',') && s.splitToEnd(s.space(i+1), top) {
			return s.peek(top)
		}
	}
}

// beginsWithData reports whether the page's first member is the array data.
func beginsWithData(body string) bool {
	s := scanner{text: body}
	i := s.space(0)
	if !s.at(i, '{') {
		return false
	}
	i = s.space(i + 1)
	const name = `"data"`
	if !strings.HasPrefix(body[i:], name) {
		return false
	}
	i = s.space(i + len(name))
	return s.at(i, ':') && s.at(s.space(i+1), '[')
}

// splitToEnd splits the top-level object from the member at i on, and reports whether only white space
// follows it.
func (s *scanner) splitToEnd(i int, top *objectSplitter) bool {
	top.reset()
	i = s.splitRest(i, 1, top)
	return i != stopped && s.space(i) == len(s.text)
}

func (s *scanner) peek(top *objectSplitter) (tail, bool) {
	group, err := s.pagination(top, newPaginationSplitter())
	if err != nil {
		return tail{}, false
	}
	t, err := s.tail(group)
	return t, err == nil
}
