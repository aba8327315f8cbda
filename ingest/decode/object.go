package decode

import "strings"

// value is the offsets of a value in the text, and the flags of its scan. The zero value is a missing
// member.
type value struct {
	start, end int
	flags      scanFlags
}

func (v value) missing() bool { return v.end == 0 }

// member is a member without a field.
type member struct {
	name  string
	value value
}

// field is a member to find.
type field struct {
	name string
	// scan, if not nil, scans the member's value in place of scanner.value, to parse it on the way.
	scan func(i, depth int) int
}

// objectSplitter splits an object into its members. It is reused for objects of the same kind, and
// learns from each in which order its members come.
type objectSplitter struct {
	fields     []field
	values     []value  // by fields; the last one of duplicates
	others     []member // in their order, duplicates included
	duplicated uint16   // a bit for each field that occurs more than once

	// learned has the names of the last object's members by their index, and
	// overflow the last one beyond maxLearned.
	learned  []learnedName
	overflow learnedName
	// cloned is how many of learned, from the first one on, have memory of their own.
	cloned int
}

// learnedName is a member's name as it is in the text, from the opening quote to the colon, and its
// meaning. The same bytes at the same index have the same meaning.
type learnedName struct {
	text  string
	name  string
	field int // index in fields, or -1
}

// maxLearned is how many names a splitter learns: more than an event of the API has, and few enough for
// an object of a million members.
const maxLearned = 32

func newSplitter(names ...string) *objectSplitter {
	o := &objectSplitter{values: make([]value, len(names))}
	for _, name := range names {
		o.fields = append(o.fields, field{name: name})
	}
	return o
}

func (o *objectSplitter) reset() {
	clear(o.values)
	o.others, o.duplicated = o.others[:0], 0
}

// release drops all references to the text of the last object. What it learned stays, in memory of its
// own.
func (o *objectSplitter) release() {
	clear(o.values)
	clear(o.others[:cap(o.others)])
	o.others, o.overflow = o.others[:0], learnedName{}
	for ; o.cloned < len(o.learned); o.cloned++ {
		name := &o.learned[o.cloned]
		name.text, name.name = strings.Clone(name.text), strings.Clone(name.name)
	}
}

// split scans the object at i, within depth arrays and objects, into its members.
func (s *scanner) split(i, depth int, o *objectSplitter) int {
	o.reset()
	if depth == maxDepth {
		return s.fail(i, tooDeep)
	}
	if i = s.space(i + 1); s.at(i, '}') {
		return i + 1
	}
	return s.splitRest(i, depth+1, o)
}

// splitRest scans an object from the name of one of its members to its closing brace.
func (s *scanner) splitRest(i, depth int, o *objectSplitter) int {
	for n := 0; ; n++ {
		var name *learnedName
		if name, i = s.memberName(i, n, o); i == stopped {
			return stopped
		}
		start := s.space(i)
		s.flags = 0
		if name.field < 0 {
			if i = s.value(start, depth); i == stopped {
				return stopped
			}
			o.others = append(o.others, member{name.name, value{start, i, s.flags}})
		} else {
			if scan := o.fields[name.field].scan; scan != nil {
				i = scan(start, depth)
			} else {
				i = s.value(start, depth)
			}
			if i == stopped {
				return stopped
			}
			if !o.values[name.field].missing() {
				o.duplicated |= 1 << name.field
			}
			o.values[name.field] = value{start, i, s.flags}
		}
		i = s.space(i)
		if s.at(i, '}') {
			// The flags are those of the last member. Those of the whole object are unknown.
			s.flags = allFlags
			return i + 1
		}
		if !s.at(i, ',') {
			return s.expected(i, "a comma or a closing brace")
		}
		i = s.space(i + 1)
	}
}

// memberName scans the name of the object's n-th member and the colon after it. The result is valid until
// the next call.
func (s *scanner) memberName(i, n int, o *objectSplitter) (*learnedName, int) {
	if n < len(o.learned) {
		name := &o.learned[n]
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
	// Only white space can be between the closing quote and the colon.
	decoded := unquote(text[1:strings.LastIndexByte(text, '"')], s.flags)
	return o.learn(n, learnedName{text, decoded, o.find(decoded)}), end
}

// learn keeps the name of the n-th member.
func (o *objectSplitter) learn(n int, name learnedName) *learnedName {
	switch {
	case n < len(o.learned):
	case n < maxLearned:
		o.learned = append(o.learned, learnedName{})
	default:
		o.overflow = name
		return &o.overflow
	}
	o.learned[n], o.cloned = name, min(o.cloned, n)
	return &o.learned[n]
}

// find returns the index of the field of that name, or -1. Case matters.
func (o *objectSplitter) find(name string) int {
	for k := range o.fields {
		if o.fields[k].name == name {
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

// raw returns the text of a value, "" for a missing one.
func (s *scanner) raw(v value) string { return s.text[v.start:v.end] }

// begins reports whether a value exists and begins with c, which identifies strings, objects and arrays.
func (s *scanner) begins(v value, c byte) bool { return !v.missing() && s.text[v.start] == c }

func (s *scanner) isNumber(v value) bool {
	return !v.missing() && (s.text[v.start] == '-' || isDigit(s.text[v.start]))
}

// absent reports whether a member is missing or null.
func (s *scanner) absent(v value) bool { return v.missing() || s.raw(v) == "null" }
