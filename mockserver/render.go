package mockserver

import (
	"strconv"
	"time"
)

const (
	msPerDay  = 24 * 60 * 60 * 1000
	dayLayout = "2006-01-02T"
	isoLayout = "2006-01-02T15:04:05.000Z"
	hexDigits = "0123456789abcdef"
)

// hexPairs holds the two hex digits of each byte value.
var hexPairs = func() (table [256][2]byte) {
	for i := range table {
		table[i] = [2]byte{hexDigits[i>>4], hexDigits[i&15]}
	}
	return table
}()

func appendUUID(dst []byte, id *[16]byte) []byte {
	var text [36]byte
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	for i, at := range [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		pair := &hexPairs[id[i]]
		text[at], text[at+1] = pair[0], pair[1]
	}
	return append(dst, text[:]...)
}

// renderer renders events. It caches the date of the last one, which most neighbours share, so
// only one goroutine may use it.
type renderer struct {
	d *Dataset
	// epochOnly renders all timestamps as numbers.
	epochOnly bool

	day     int64
	dayText [len(dayLayout)]byte
	hasDay  bool
}

func (rd *renderer) appendISO(dst []byte, ms int64) []byte {
	day, rest := floorDiv(ms, msPerDay)
	if !rd.hasDay || day != rd.day {
		rd.day, rd.hasDay = day, true
		time.UnixMilli(ms).UTC().AppendFormat(rd.dayText[:0], dayLayout)
	}
	s, milli := rest/1000, rest%1000
	h, m, s := s/3600, s/60%60, s%60
	dst = append(dst, rd.dayText[:]...)
	return append(dst,
		byte('0'+h/10), byte('0'+h%10), ':',
		byte('0'+m/10), byte('0'+m%10), ':',
		byte('0'+s/10), byte('0'+s%10), '.',
		byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10), 'Z')
}

// AppendEvent appends the wire form of event i to dst, as the events endpoint of Contract sends
// it.
func (d *Dataset) AppendEvent(dst []byte, i int) []byte {
	rd := renderer{d: d}
	r := d.record(d.view().key(i))
	return rd.appendEvent(dst, &r)
}

func (rd *renderer) appendEvent(dst []byte, r *record) []byte {
	if r.malformed != Clean {
		return rd.appendMalformed(dst, r)
	}
	session, user := rd.d.sessionID(r.session), rd.d.userID(r.user)
	dst = append(dst, `{"id":"`...)
	dst = appendUUID(dst, &r.id)
	dst = append(dst, `","sessionId":"`...)
	sessionAt := len(dst)
	dst = appendUUID(dst, &session)
	dst = append(dst, `","userId":"`...)
	dst = appendUUID(dst, &user)
	dst = append(dst, `","type":"`...)
	dst = append(dst, eventTypes[r.kind].name...)
	dst = append(dst, `","name":"event_`...)
	dst = append(dst, r.name[:]...)
	dst = append(dst, `","properties":`...)
	dst = r.appendProperties(dst)
	dst = append(dst, `,"timestamp":`...)
	if r.iso && !rd.epochOnly {
		dst = append(dst, '"')
		dst = rd.appendISO(dst, r.ts)
		dst = append(dst, '"')
	} else {
		dst = strconv.AppendInt(dst, r.ts, 10)
	}
	dst = append(dst, `,"session":{"id":"`...)
	dst = append(dst, dst[sessionAt:sessionAt+36]...)
	dst = append(dst, `","deviceType":"`...)
	dst = append(dst, deviceTypes[r.device]...)
	dst = append(dst, `","browser":"`...)
	dst = append(dst, browsers[r.browser]...)
	return append(dst, `"}}`...)
}

// appendProperties appends the event's properties, a JSON object.
func (r *record) appendProperties(dst []byte) []byte {
	dst = append(dst, `{"page":"`...)
	dst = append(dst, pagePaths[r.page]...)
	dst = append(dst, '"')
	if r.cents > 0 {
		dst = append(dst, `,"amount":`...)
		dst = strconv.AppendUint(dst, uint64(r.cents/100), 10)
		dst = append(dst, '.', byte('0'+r.cents/10%10), byte('0'+r.cents%10))
		dst = append(dst, `,"currency":"EUR"`...)
	}
	return append(dst, '}')
}

// fields are the JSON values of an event's members, empty for those that are left out. Rendering
// them is slower than appendEvent, but malformed events are rare.
type fields struct {
	id, sessionID, userID, kind, name, properties, timestamp, session string
}

func (rd *renderer) appendMalformed(dst []byte, r *record) []byte {
	session, user := rd.d.sessionID(r.session), rd.d.userID(r.user)
	f := fields{
		id:         quotedUUID(&r.id),
		sessionID:  quotedUUID(&session),
		userID:     quotedUUID(&user),
		kind:       `"` + eventTypes[r.kind].name + `"`,
		name:       `"event_` + string(r.name[:]) + `"`,
		properties: string(r.appendProperties(nil)),
	}
	f.timestamp = strconv.FormatInt(r.ts, 10)
	if r.iso && !rd.epochOnly {
		f.timestamp = rd.quotedISO(r.ts)
	}
	rd.malform(&f, r)
	if f.session == "" && r.malformed != SessionMissing {
		f.session = rd.sessionObject(r, quotedUUID(&session))
	}

	members := []struct{ name, value string }{
		{"id", f.id}, {"sessionId", f.sessionID}, {"userId", f.userID}, {"type", f.kind},
		{"name", f.name}, {"properties", f.properties}, {"timestamp", f.timestamp}, {"session", f.session},
	}
	if r.malformed == KeyOrder {
		for i, j := 0, len(members)-1; i < j; i, j = i+1, j-1 {
			members[i], members[j] = members[j], members[i]
		}
	}
	open, comma, colon, end := "{", ",", ":", "}"
	if r.malformed == Whitespace {
		open, comma, colon, end = "\n{\r\n  ", " ,\n\t", " : ", " \n}\t"
	}
	dst = append(dst, open...)
	start := len(dst)
	if r.malformed == ExtraFields {
		dst = append(dst, extraBefore...)
	}
	for _, m := range members {
		if m.value == "" {
			continue
		}
		if len(dst) > start {
			dst = append(dst, comma...)
		}
		dst = append(dst, '"')
		dst = append(dst, m.name...)
		dst = append(dst, '"')
		dst = append(dst, colon...)
		dst = append(dst, m.value...)
	}
	if r.malformed == ExtraFields {
		dst = append(append(dst, ','), extraAfter...)
	}
	return append(dst, end...)
}

func (rd *renderer) malform(f *fields, r *record) {
	const null, empty = `null`, `""`
	switch r.malformed {
	case IDMissing:
		f.id = ""
	case IDNull:
		f.id = null
	case IDEmpty:
		f.id = empty
	case IDMalformed:
		f.id = `"` + f.id[1:24] + `-no-uuid"`
	case TypeMissing:
		f.kind = ""
	case TypeNull:
		f.kind = null
	case TypeEmpty:
		f.kind = empty
	case TypeUnknown:
		f.kind = `"` + unknownType + `"`
	case SessionIDMissing:
		f.sessionID = ""
	case SessionIDNull:
		f.sessionID = null
	case SessionIDEmpty:
		f.sessionID = empty
	case SessionIDMalformed:
		f.sessionID = `"session-` + strconv.Itoa(int(r.session)) + `"`
	case UserMissing:
		f.userID = ""
	case UserNull:
		f.userID = null
	case UserMalformed:
		f.userID = `"user-` + strconv.Itoa(int(r.user)) + `"`
	case NameMissing:
		f.name = ""
	case NameNumber:
		f.name = "12345"
	case NameEscaped:
		f.name = f.name[:len(f.name)-1] + escapedSuffix + `"`
	case PropertiesMissing:
		f.properties = ""
	case PropertiesNull:
		f.properties = null
	case PropertiesArray:
		f.properties = `[` + f.properties + `]`
	case PropertiesNested:
		f.properties = f.properties[:len(f.properties)-1] + nestedTail
	case PropertiesLookalike:
		f.properties = f.properties[:len(f.properties)-1] + lookalikeTail
	case SessionNull:
		f.session = null
	case SessionText:
		f.session = `"mobile"`
	case SessionOtherID:
		other := rd.d.sessionID((r.session + 1) % sessionCount)
		f.session = rd.sessionObject(r, quotedUUID(&other))
	default:
		rd.malformTimestamp(f, r)
	}
}

func (rd *renderer) malformTimestamp(f *fields, r *record) {
	at := time.UnixMilli(r.ts).Add(time.Duration(r.micros) * time.Microsecond).UTC()
	switch r.malformed {
	case TimestampMissing:
		f.timestamp = ""
	case TimestampNull:
		f.timestamp = `null`
	case TimestampEmpty:
		f.timestamp = `""`
	case TimestampGarbage:
		f.timestamp = `"the day before yesterday"`
	case TimestampMicros:
		f.timestamp = strconv.FormatInt(r.ts*1000, 10)
	case TimestampFarAhead:
		f.timestamp = `"2300-01-01T00:00:00.000Z"`
	case TimestampFarBack:
		f.timestamp = `"1969-12-31T23:59:59.999Z"`
	case DigitTimestamp:
		f.timestamp = `"` + strconv.FormatInt(r.ts, 10) + `"`
	case OffsetTimestamp:
		zone := time.FixedZone("", 2*60*60)
		if r.page%2 == 1 {
			zone = time.FixedZone("", -(5*60+30)*60)
		}
		f.timestamp = at.In(zone).Format(`"2006-01-02T15:04:05.000-07:00"`)
	case MicroTimestamp:
		f.timestamp = at.Format(`"2006-01-02T15:04:05.000000Z"`)
	case NanoTimestamp:
		// Clients may round or truncate: .456 of a microsecond gives the same result.
		if r.micros > 0 {
			at = at.Add(456)
		}
		f.timestamp = at.Format(`"2006-01-02T15:04:05.000000000Z"`)
	}
}

func (rd *renderer) quotedISO(ms int64) string {
	return string(append(rd.appendISO([]byte{'"'}, ms), '"'))
}

func quotedUUID(id *[16]byte) string {
	return string(append(appendUUID([]byte{'"'}, id), '"'))
}

func (rd *renderer) sessionObject(r *record, id string) string {
	device, browser := deviceTypes[r.device], browsers[r.browser]
	switch r.malformed {
	case DeviceUnknown:
		device = unknownDevice
	case BrowserUnknown:
		browser = unknownBrowser
	}
	return `{"id":` + id + `,"deviceType":"` + device + `","browser":"` + browser + `"}`
}
