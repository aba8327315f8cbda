package decode

import "strings"

// The functions of this file find the end of values in text that may be malformed, by quotes,
// backslashes and brackets alone. They do not recurse, so that no depth is too large for them.

// elementEnd returns the offset of the comma or bracket that ends the array element at i. It returns
// stopped if nothing ends it, or if there is no element.
func elementEnd(text string, i int) int {
	s := scanner{text: text}
	if i = s.space(i); s.at(i, ',') || s.at(i, ']') {
		return stopped
	}
	for depth := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := stringEnd(text, i)
			if end == stopped {
				return stopped
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}':
			if depth--; depth < 0 {
				return stopped
			}
		case ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return stopped
}

// stringEnd returns the offset after the string whose opening quote is at i, whatever it contains, or
// stopped if no quote ends it.
func stringEnd(text string, i int) int {
	for i++; ; i++ {
		i = skipSimple(text, i)
		if i >= len(text) {
			return stopped
		}
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// CountElements counts the whole elements of data in the beginning of a page. It reports false if the text
// does not begin as a page does.
func CountElements(text string) (n int, ok bool) {
	if i := dataBegin(text); i != stopped {
		return countElements(text, i), true
	}
	return 0, false
}

// BeginsAsPage reports whether a text begins as a page does: an object with a list data.
func BeginsAsPage(text string) bool { return dataBegin(text) != stopped }

// dataBegin returns the offset after the bracket that opens the list data. It returns stopped if the text does
// not begin as a page does.
func dataBegin(text string) int {
	if !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return stopped
	}
	s := scanner{text: text}
	for i, depth := 0, 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := stringEnd(text, i)
			if end == stopped {
				return stopped
			}
			if depth == 1 && text[i:end] == `"data"` {
				if colon := s.space(end); s.at(colon, ':') && s.at(s.space(colon+1), '[') {
					return s.space(colon+1) + 1
				}
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
	return stopped
}

// countElements counts the whole elements of an array whose first one begins at i.
func countElements(text string, i int) (n int) {
	for {
		if i = elementEnd(text, i); i == stopped {
			return n
		}
		if n++; text[i] == ']' {
			return n
		}
		i++
	}
}
