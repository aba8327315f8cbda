package mockserver

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Event is an event as a correct client reads its wire form. A field is zero if the wire form has
// no usable value (see Malformed).
type Event struct {
	ID        uuid.UUID // set even if the wire form lacks it
	SessionID uuid.UUID
	UserID    uuid.UUID
	Type      string
	Name      string
	// Properties is a JSON object without white space.
	Properties string
	// TimestampMS is the instant by which events are ordered, in epoch milliseconds.
	TimestampMS int64
	// Micros are the microseconds beyond TimestampMS, 0 to 999. Only some malformed events have
	// any.
	Micros     int
	DeviceType string
	Browser    string
	// Malformed says how the wire form is broken or unusual.
	Malformed Malformed
}

// Time returns the event's exact instant, in UTC.
func (e Event) Time() time.Time {
	return time.UnixMilli(e.TimestampMS).Add(time.Duration(e.Micros) * time.Microsecond).UTC()
}

// Event returns the event with number i; 0 is the newest. It panics unless 0 <= i < Len().
func (d *Dataset) Event(i int) Event {
	v := d.view()
	if i < 0 || i >= v.len() {
		panic("mockserver: no event with this number")
	}
	r := d.record(v.key(i))
	return r.event(d)
}

// Late reports whether event i is hidden until Reveal.
func (d *Dataset) Late(i int) bool { return d.late(d.view().key(i)) }

var (
	eventTypes = [...]struct {
		name   string
		weight int
	}{
		{"page_view", 35},
		{"click", 25},
		{"api_call", 10},
		{"form_submit", 10},
		{"scroll", 5},
		{"purchase", 5},
		{"error", 5},
		{"video_play", 5},
	}
	typeByPercent = func() (table [100]uint8) {
		n := 0
		for t := range eventTypes {
			for range eventTypes[t].weight {
				table[n] = uint8(t)
				n++
			}
		}
		return table
	}()
	kindNames = func() (names [len(eventTypes)]string) {
		for t := range eventTypes {
			names[t] = eventTypes[t].name
		}
		return names
	}()
	// The flat shape has the first flatPages only.
	pagePaths = [...]string{
		"/home", "/products", "/pricing", "/checkout", "/search", "/account", "/blog", "/support",
		"/cart", "/login", "/signup", "/orders", "/features", "/about", "/contact", "/careers",
		"/docs", "/docs/install", "/products/chairs", "/products/desks", "/products/lamps",
		"/blog/roadmap", "/newsletter", "/terms",
	}
	// pageByShare has each page as often as it is shown in the lively shape, the first of
	// pagesByRank most often. The checkout has further events from funnels.
	pageByShare = func() (table [1024]uint8) {
		pagesByRank := [len(pagePaths)]uint8{0, 1, 4, 18, checkoutPage, 20, 8, 2, 19, 5, 6, 7, 9, 12, 10, 16, 11, 21, 13, 14, 17, 22, 15, 23}
		for i, rank := range zipf(len(table), len(pagePaths), []int{4}) {
			table[i] = pagesByRank[rank]
		}
		return table
	}()
	deviceTypes = [...]string{"mobile", "tablet", "desktop"}
	browsers    = [...]string{"Chrome", "Safari", "Edge", "Firefox"}
)

const (
	flatPages    = 8
	checkoutPage = 3
	searchPage   = 4

	base36     = "0123456789abcdefghijklmnopqrstuvwxyz"
	nameLength = 5
)

// record is an event before it is rendered.
type record struct {
	id        [16]byte
	ts        int64 // epoch milliseconds
	micros    int
	session   uint32
	user      uint32
	kind      uint8 // index into eventTypes
	page      uint8
	device    uint8
	browser   uint8
	cents     uint32 // the amount of a purchase; 0 if it has none
	iso       bool   // the timestamp is rendered as text, unless the endpoint sends numbers only
	name      [nameLength]byte
	malformed Malformed
}

func (d *Dataset) record(key int64) record {
	s := d.slot(key)
	h := d.hash(key)
	g := mix(h ^ 0x5851F42D4C957F2D)
	r := record{
		id:        d.id(key, s),
		iso:       g&1 == 1,
		malformed: d.malformed(key, h),
	}
	if d.lively == nil {
		r.ts, r.kind, r.page, r.session = d.instant(s.group), kindOf(h), uint8(h>>48%flatPages), sessionOf(h)
		r.user, r.device, r.browser = d.ofSession(r.session)
	} else if d.lively.fill(&r, d.rank(key), s); key < 0 {
		r.ts = d.instant(s.group)
	}
	g >>= 8
	for i := range r.name {
		r.name[i] = base36[g%36]
		g /= 36
	}
	if r.malformed.subMillisecond() && s.position == 0 {
		// Microseconds on any other event of the millisecond would break the order.
		r.micros = 1 + int(mix(h)%999)
	}
	return r
}

// hash returns the number that an event's values are computed from.
func (d *Dataset) hash(key int64) uint64 { return mix(d.eventSeed + uint64(key)*golden) }

func kindOf(hash uint64) uint8 { return typeByPercent[(hash>>32&0xFFFF)*100>>16] }

func sessionOf(hash uint64) uint32 { return uint32(hash & 0xFFFFFFFF * sessionCount >> 32) }

// ofSession returns the user, device and browser of a session.
func (d *Dataset) ofSession(session uint32) (user uint32, device, browser uint8) {
	if d.lively != nil {
		v := d.lively.session(int64(session))
		return v.user, v.device, v.browser
	}
	of := mix(d.sessionSeed ^ uint64(session))
	return session % userCount, uint8(of % uint64(len(deviceTypes))), uint8(of >> 32 % uint64(len(browsers)))
}

// id computes an event's id. In a group the leading 32 bits are from disjoint, descending ranges,
// so that ids are random and yet in order.
func (d *Dataset) id(key int64, s slot) (id [16]byte) {
	a := mix(d.eventSeed ^ uint64(key)*idStep)
	b := mix(a + golden)
	width := uint64(1<<32) / uint64(s.size)
	lead := uint64(s.size-1-s.position)*width + a>>32*width>>32
	binary.BigEndian.PutUint32(id[0:], uint32(lead))
	binary.BigEndian.PutUint32(id[4:], uint32(a))
	binary.BigEndian.PutUint64(id[8:], b)
	return version4(id)
}

func version4(id [16]byte) [16]byte {
	id[6] = id[6]&0x0F | 0x40
	id[8] = id[8]&0x3F | 0x80
	return id
}

func (d *Dataset) sessionID(session uint32) [16]byte {
	return numberedID(d.sessionSeed, session)
}

func (d *Dataset) userID(user uint32) [16]byte {
	return numberedID(d.userSeed, user)
}

func numberedID(seed uint64, n uint32) (id [16]byte) {
	a := mix(seed + uint64(n)*golden)
	binary.BigEndian.PutUint64(id[0:], a)
	binary.BigEndian.PutUint64(id[8:], mix(a^seed))
	return version4(id)
}

func (r *record) event(d *Dataset) Event {
	e := Event{
		ID:          r.id,
		SessionID:   d.sessionID(r.session),
		UserID:      d.userID(r.user),
		Type:        eventTypes[r.kind].name,
		Name:        "event_" + string(r.name[:]),
		Properties:  string(r.appendProperties(nil)),
		TimestampMS: r.ts,
		Micros:      r.micros,
		DeviceType:  deviceTypes[r.device],
		Browser:     browsers[r.browser],
		Malformed:   r.malformed,
	}
	r.malformed.apply(&e)
	return e
}
