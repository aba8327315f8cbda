package decode

import "strings"

// value is where a value stands in the text, and what the scan of it noted. The
// zero value stands for a member that is missing.
type value struct {
	start, end int
	flags      scanFlags
}

func (v value) missing() bool { return v.end == 0 }

// member is a member that nobody asked for.
type member struct {
	name  string
	value value
}

// field is a member that is asked for.
type field struct {
	name string
	// scan, where not nil, scans the member's value in place of scanner.value,
	// in order to look into it on the way.
	scan func(i, depth int) int
}

// objectSplitter takes an object apart. It is used again for the next object of its kind,
// from whose predecessor it has learned in which order the members come.
type objectSplitter struct {
	fields     []field
	values     []value  // by fields; the last of several of one name counts
	others     []member // in the order they came, all of several of one name
	duplicated uint16   // a bit for each of the fields that stand more than once

	// learned has the names of the last object's members, by their place, and
	// unlearned the last one for which it has no room.
	learned  []learnedName
	overflow learnedName
	// cloned is how many of learned, from the first one on, are known to be copies.
	cloned int
}

// learnedName is a member's name as it stands in the text, from the opening
// quote to the colon, and what it was found to mean. Where the same bytes stand
// at a place again, they mean the same again.
type learnedName struct {
	text  string
	name  string
	field int // index in fields, or -1
}

// maxLearned is how many names a shape learns: more than an event of the API
// has, few enough not to matter for an object of a million members.
const maxLearned = 32

func newSplitter(names ...string) *objectSplitter {
	sh := &objectSplitter{values: make([]value, len(names))}
	for _, name := range names {
		sh.fields = append(sh.fields, field{name: name})
	}
	return sh
}

func (sh *objectSplitter) reset() {
	clear(sh.values)
	sh.others, sh.duplicated = sh.others[:0], 0
}

// release lets go of the text of which the last object was a part. What was learned
// from that stays, in memory of its own.
func (sh *objectSplitter) release() {
	clear(sh.values)
	clear(sh.others[:cap(sh.others)])
	sh.others, sh.overflow = sh.others[:0], learnedName{}
	for ; sh.cloned < len(sh.learned); sh.cloned++ {
		name := &sh.learned[sh.cloned]
		name.text, name.name = strings.Clone(name.text), strings.Clone(name.name)
	}
}

// split scans the object that stands at i within depth arrays and objects, and
// leaves its members in sh.
func (s *scanner) split(i, depth int, sh *objectSplitter) int {
	sh.reset()
	if depth == maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.at(i, '}') {
		return i + 1
	}
	return s.splitRest(i, depth+1, sh)
}

// splitRest scans an object from the name of one of its members to its closing
// brace.
func (s *scanner) splitRest(i, depth int, sh *objectSplitter) int {
	for n := 0; ; n++ {
		var name *learnedName
		if name, i = s.memberName(i, n, sh); i == stopped {
			return stopped
		}
		start := s.space(i)
		s.flags = 0
		if name.field < 0 {
			if i = s.value(start, depth); i == stopped {
				return stopped
			}
			sh.others = append(sh.others, member{name.name, value{start, i, s.flags}})
		} else {
			if scan := sh.fields[name.field].scan; scan != nil {
				i = scan(start, depth)
			} else {
				i = s.value(start, depth)
			}
			if i == stopped {
				return stopped
			}
			if !sh.values[name.field].missing() {
				sh.duplicated |= 1 << name.field
			}
			sh.values[name.field] = value{start, i, s.flags}
		}
		i = s.space(i)
		if s.at(i, '}') {
			// The notes were taken anew for each member: of the object as a whole
			// nothing is known.
			s.flags = allFlags
			return i + 1
		}
		if !s.at(i, ',') {
			return s.expected(i, "a comma or a closing brace")
		}
		i = s.space(i + 1)
	}
}

// memberName scans the name of the object's n-th member and the colon after it.
// What it returns holds until the next call.
func (s *scanner) memberName(i, n int, sh *objectSplitter) (*learnedName, int) {
	if n < len(sh.learned) {
		name := &sh.learned[n]
		if end := i + len(name.text); end <= len(s.text) && s.text[i:end] == name.text {
			return name, end
		}
	}
	s.flags = 0
	end := s.key(i)
	if end == stopped {
		return nil, stopped
	}
	text := s.text[i:end]
	// Between the closing quote and the colon only white space can stand.
	decoded := unquote(text[1:strings.LastIndexByte(text, '"')], s.flags)
	return sh.learn(n, learnedName{text, decoded, sh.find(decoded)}), end
}

// learn keeps the name of the n-th member.
func (sh *objectSplitter) learn(n int, name learnedName) *learnedName {
	switch {
	case n < len(sh.learned):
	case n < maxLearned:
		sh.learned = append(sh.learned, learnedName{})
	default:
		sh.overflow = name
		return &sh.overflow
	}
	sh.learned[n], sh.cloned = name, min(sh.cloned, n)
	return &sh.learned[n]
}

// find returns the index of the field of that name, or -1. Case counts.
func (sh *objectSplitter) find(name string) int {
	for k := range sh.fields {
		if sh.fields[k].name == name {
			return k
		}
	}
	return -1
}

// string returns the decoded text of a value that is a string.
func (s *scanner) string(v value) (string, bool) {
	if !s.begins(v, '"') {
		return "", false
	}
	return unquote(s.text[v.start+1:v.end-1], v.flags), true
}

// raw returns the text of a value as it came, "" of one that is missing.
func (s *scanner) raw(v value) string { return s.text[v.start:v.end] }

// begins reports whether a value is there and begins with c, which is what tells
// strings, objects and arrays from all else.
func (s *scanner) begins(v value, c byte) bool { return !v.missing() && s.text[v.start] == c }

func (s *scanner) isNumber(v value) bool {
	return !v.missing() && (s.text[v.start] == '-' || isDigit(s.text[v.start]))
}

// absent reports whether a member is missing or null.
func (s *scanner) absent(v value) bool { return v.missing() || s.raw(v) == "null" }
