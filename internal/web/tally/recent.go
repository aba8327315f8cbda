package tally

import (
	"database/sql"
	"encoding/binary"
	"strings"
)

// Most events have a device, a browser and a page that were just counted. To find their counts again, short texts
// are read as numbers: texts of many lengths, compared byte by byte, take a processor several times as long.

// recent has devices and pages at a place that follows from their numbers.
type recent struct {
	devices [256]recentDevice
	pages   [1024]recentPage
}

// recentDevice says where in counts.devices the one of two packed texts is, from 1; 0 in an empty place.
type recentDevice struct {
	device, browser uint64
	index           int
}

// longestPacked is the length of the longest text that packed takes.
const longestPacked = 7

// packed returns a text of at most longestPacked bytes as a number: its bytes, and in the highest one its length.
// NULL has a number of its own.
func packed(text sql.NullString) (number uint64, ok bool) {
	s := text.String
	n := len(s)
	switch {
	case n > longestPacked:
		return 0, false
	case n >= 4: // the last four bytes overlap the first ones
		number = fourBytes(s, 0) | fourBytes(s, n-4)>>(8*(8-n))<<32
	default:
		for i := range n {
			number |= uint64(s[i]) << (8 * i)
		}
	}
	if !text.Valid {
		n = longestPacked + 1
	}
	return number | uint64(n)<<56, true
}

// recentPage is a page of properties that begin with it: with the same bytes up to a length of at most longestBegin,
// they have the same page. It is nil in an empty place.
type recentPage struct {
	length              int
	first, second, last uint64
	page                *page
}

const (
	// shortestBegin and longestBegin bound the bytes of properties that are compared: three numbers from
	// beginFrom on, which overlap in short ones.
	beginFrom     = 8
	shortestBegin = beginFrom + 8
	longestBegin  = beginFrom + 3*8
)

// recentPage returns the page of properties if it was just counted. Otherwise it is nil, and the place is where to
// keep it; that is nil too if properties are too short or do not begin with a page.
func (r *recent) recentPage(properties string) (*page, *recentPage) {
	if len(properties) < shortestBegin || !strings.HasPrefix(properties, firstKey) {
		return nil, nil
	}
	n := min(len(properties), longestBegin)
	first, second, last := eightBytes(properties, beginFrom), eightBytes(properties, min(n-8, beginFrom+8)), eightBytes(properties, n-8)
	place := &r.pages[(first*spread^second*spreadMore^last*spreadMost)>>54]
	if place.first == first && place.second == second && place.last == last && place.length == n {
		return place.page, place
	}
	place.length, place.first, place.second, place.last, place.page = n, first, second, last, nil
	return nil, place
}

// keep keeps a page of that name, if it ends within the bytes that are compared.
func (r *recentPage) keep(properties, name string, p *page) {
	end := len(firstKey) + len(name)
	if end < r.length && properties[end] == '"' && properties[len(firstKey):end] == name {
		r.page = p
	}
}

// Odd numbers without a pattern.
const (
	spread     = 0x9e3779b97f4a7c15
	spreadMore = 0xc2b2ae3d27d4eb4f
	spreadMost = 0x165667b19e3779f9
)

func eightBytes(s string, at int) uint64 { return binary.LittleEndian.Uint64([]byte(s[at : at+8])) }

func fourBytes(s string, at int) uint64 {
	return uint64(binary.LittleEndian.Uint32([]byte(s[at : at+4])))
}
