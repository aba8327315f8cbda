package decode

// maxDepth is how deep arrays and objects may be nested: the limit of encoding/json, which RFC 8259,
// section 9 leaves to the parser. It keeps the recursion of the scanner within a few megabytes of stack.
const maxDepth = 10_000

// tooDeep is the failure of deeper nesting.
const tooDeep = "nested too deep"

// stopped is the result of the scanner's functions after a failure, in place of an offset.
const stopped = -1

// scanFlags say what a scan found in a value. A value without flags can be stored byte for byte.
type scanFlags uint8

const (
	flagSpace    scanFlags = 1 << iota // white space outside strings
	flagEscape                         // a backslash in a string
	flagNonASCII                       // a byte beyond ASCII, which may be invalid UTF-8

	allFlags = flagSpace | flagEscape | flagNonASCII
)

// scanner scans JSON text (RFC 8259) and accepts exactly what encoding/json does. Its functions take the
// offset of a value and return the offset after it, so that offsets stay in registers. After a failure
// they return stopped, and the scanner has the failure and its offset.
type scanner struct {
	text  string
	flags scanFlags

	failure   string
	failureAt int
}

func (s *scanner) fail(at int, what string) int {
	s.failure, s.failureAt = what, at
	return stopped
}

// expected fails at an offset with other text than what.
func (s *scanner) expected(at int, what string) int {
	if at >= len(s.text) {
		return s.fail(len(s.text), "cut off in the middle")
	}
	return s.fail(at, "expected "+what)
}

// value scans any value at i, within depth arrays and objects.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.text) {
		return s.expected(i, "a value")
	}
	switch c := s.text[i]; {
	case c == '"':
		return s.quoted(i)
	case c == '{':
		return s.object(i, depth)
	case c == '[':
		return s.array(i, depth)
	case c == '-' || isDigit(c):
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.expected(i, "a value")
}

// object scans an object without looking at its members.
func (s *scanner) object(i, depth int) int {
	if depth == maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.at(i, '}') {
		return i + 1
	}
	for {
		if i = s.key(i); i == stopped {
			return stopped
		}
		if i = s.value(s.space(i), depth+1); i == stopped {
			return stopped
		}
		i = s.space(i)
		if s.at(i, '}') {
			return i + 1
		}
		if !s.at(i, ',') {
			return s.expected(i, "a comma or a closing brace")
		}
		i = s.space(i + 1)
	}
}

// array scans an array without looking at its elements.
func (s *scanner) array(i, depth int) int {
	if depth == maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.at(i, ']') {
		return i + 1
	}
	for {
		if i = s.value(i, depth+1); i == stopped {
			return stopped
		}
		if i = s.space(i); s.at(i, ']') {
			return i + 1
		}
		if !s.at(i, ',') {
			return s.expected(i, "a comma or a closing bracket")
		}
		i = s.space(i + 1)
	}
}

// key scans the name of a member and the colon after it.
func (s *scanner) key(i int) int {
	if !s.at(i, '"') {
		return s.expected(i, "a member's name")
	}
	if i = s.quoted(i); i == stopped {
		return stopped
	}
	if i = s.space(i); !s.at(i, ':') {
		return s.expected(i, "a colon")
	}
	return i + 1
}

// quoted scans the string whose opening quote is at i.
func (s *scanner) quoted(i int) int {
	text := s.text
	for i++; ; {
		i = skipSimple(text, i)
		for i < len(text) && stringBytes[text[i]] == simpleByte {
			i++
		}
		if i >= len(text) {
			return s.expected(i, "a closing quote")
		}
		switch stringBytes[text[i]] {
		case quoteByte:
			return i + 1
		case nonASCIIByte:
			s.flags |= flagNonASCII
			i++
		case escapeByte:
			s.flags |= flagEscape
			if i = s.escape(i); i == stopped {
				return stopped
			}
		default:
			return s.fail(i, "control character in a string")
		}
	}
}

// escape scans the escape sequence whose backslash is at i.
func (s *scanner) escape(i int) int {
	if i++; i >= len(s.text) {
		return s.expected(i, "an escape")
	}
	switch s.text[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for range 4 {
			if i++; i >= len(s.text) || hexDigit(s.text[i]) < 0 {
				return s.expected(i, "a hexadecimal digit")
			}
		}
		return i + 1
	}
	return s.expected(i, "an escape")
}

// number scans a number, whose first byte at i is a digit or a minus.
func (s *scanner) number(i int) int {
	if s.text[i] == '-' {
		i++
	}
	if s.at(i, '0') {
		i++ // only a fraction or an exponent may follow a leading zero
	} else if i = s.digits(i); i == stopped {
		return stopped
	}
	if s.at(i, '.') {
		if i = s.digits(i + 1); i == stopped {
			return stopped
		}
	}
	if s.at(i, 'e') || s.at(i, 'E') {
		if i++; s.at(i, '+') || s.at(i, '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits scans one digit or more.
func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.text) && isDigit(s.text[i]) {
		i++
	}
	if i == start {
		return s.expected(i, "a digit")
	}
	return i
}

func (s *scanner) literal(i int, word string) int {
	for k := range len(word) {
		if !s.at(i+k, word[k]) {
			return s.expected(i+k, word)
		}
	}
	return i + len(word)
}

// space scans optional white space. It is small enough to be inlined for the common case of none.
func (s *scanner) space(i int) int {
	if i < len(s.text) && s.text[i] > ' ' {
		return i
	}
	return s.spaces(i)
}

func (s *scanner) spaces(i int) int {
	for i < len(s.text) && isSpace(s.text[i]) {
		s.flags |= flagSpace
		i++
	}
	return i
}

// closes returns the offset of the comma or closing bracket after i, or stopped if something else follows.
func (s *scanner) closes(i int) int {
	if i = s.space(i); s.at(i, ',') || s.at(i, ']') {
		return i
	}
	return stopped
}

// at reports whether the byte at i is c.
func (s *scanner) at(i int, c byte) bool { return i < len(s.text) && s.text[i] == c }

func isDigit(c byte) bool { return c-'0' <= 9 }

// isSpace reports whether c is white space (RFC 8259, section 2).
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// The classes of bytes within a string.
const (
	simpleByte = iota
	quoteByte
	escapeByte
	controlByte
	nonASCIIByte
)

// stringBytes has the class of each byte within a string. It is read-only after initialisation.
var stringBytes = func() (class [256]uint8) {
	for c := range class {
		switch {
		case c < 0x20:
			class[c] = controlByte
		case c >= 0x80:
			class[c] = nonASCIIByte
		}
	}
	class['"'], class['\\'] = quoteByte, escapeByte
	return class
}()
