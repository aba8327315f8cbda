package mockserver

import (
	"fmt"
)

// Dirt is one way in which an event's wire form is broken or unusual.
type Dirt uint8

// The kinds from IDMissing to SessionIDMalformed make an event unfit to be
// stored; those from UserMissing on do not.
const (
	Clean Dirt = iota

	IDMissing
	IDNull
	IDEmpty
	IDMalformed
	TypeMissing
	TypeNull
	TypeEmpty
	TimestampMissing
	TimestampNull
	TimestampEmpty
	TimestampGarbage  // text that is no date
	TimestampMicros   // epoch microseconds as a number: a year past 2200
	TimestampFarAhead // ISO 8601, year 2300
	TimestampFarBack  // ISO 8601, year 1969
	SessionIDMissing
	SessionIDNull
	SessionIDEmpty
	SessionIDMalformed

	UserMissing
	UserNull
	UserMalformed
	NameMissing
	NameNumber // a number where a string belongs
	PropertiesMissing
	PropertiesNull
	PropertiesArray
	PropertiesNested
	PropertiesLookalike // a string that reads like the end of a page
	SessionMissing
	SessionNull
	SessionText // a string where an object belongs
	SessionOtherID
	TypeUnknown
	DeviceUnknown
	BrowserUnknown
	ExtraFields
	DigitTimestamp  // epoch milliseconds as a string of digits
	OffsetTimestamp // ISO 8601 with an offset other than Z
	MicroTimestamp  // ISO 8601 with six digits of fraction
	NanoTimestamp   // the same with nine; the last three are below a microsecond
	NameEscaped     // \u escapes, with a surrogate pair
	KeyOrder        // keys in another order
	Whitespace      // spaces, tabs and line breaks between the tokens

	dirtEnd
)

const firstTolerated = UserMissing

var dirtNames = [dirtEnd]string{
	"clean",
	"id missing", "id null", "id empty", "id malformed",
	"type missing", "type null", "type empty",
	"timestamp missing", "timestamp null", "timestamp empty", "timestamp garbage",
	"timestamp in microseconds", "timestamp far ahead", "timestamp far back",
	"sessionId missing", "sessionId null", "sessionId empty", "sessionId malformed",
	"userId missing", "userId null", "userId malformed",
	"name missing", "name number",
	"properties missing", "properties null", "properties array", "properties nested", "properties lookalike",
	"session missing", "session null", "session text", "session other id",
	"type unknown", "deviceType unknown", "browser unknown", "extra fields",
	"digit timestamp", "offset timestamp", "microsecond timestamp", "nanosecond timestamp",
	"name escaped", "key order", "whitespace",
}

func (k Dirt) String() string {
	if k >= dirtEnd {
		return fmt.Sprintf("Dirt(%d)", uint8(k))
	}
	return dirtNames[k]
}

// Storable reports whether an event of this kind still has all that it must.
func (k Dirt) Storable() bool { return k == Clean || k >= firstTolerated }

// Field is the required field that the kind spoils, empty where none.
func (k Dirt) Field() string {
	switch {
	case k == Clean || k >= firstTolerated:
		return ""
	case k <= IDMalformed:
		return "id"
	case k <= TypeEmpty:
		return "type"
	case k <= TimestampFarBack:
		return "timestamp"
	default:
		return "sessionId"
	}
}

// AllDirt lists every kind but Clean.
func AllDirt() []Dirt { return dirtBetween(Clean+1, dirtEnd) }

// RejectedDirt lists the kinds that make an event unfit to be stored.
func RejectedDirt() []Dirt { return dirtBetween(Clean+1, firstTolerated) }

// ToleratedDirt lists the unusual kinds that a client must store.
func ToleratedDirt() []Dirt { return dirtBetween(firstTolerated, dirtEnd) }

func dirtBetween(from, to Dirt) []Dirt {
	var kinds []Dirt
	for k := from; k < to; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

func (k Dirt) subMillisecond() bool { return k == MicroTimestamp || k == NanoTimestamp }

const (
	extraBefore    = `"campaign":{"id":7,"tags":["a","b"]}`
	extraAfter     = `"schemaVersion":3`
	nestedTail     = `,"nested":{"a":[1,2.50,{"b":null}],"empty":{}},"big":9007199254740993}`
	lookalikeTail  = `,"note":"],\"pagination\":{\"hasMore\":false,\"nextCursor\":null},\"meta\":{}}"}`
	unknownType    = "hologram_view"
	unknownDevice  = "smart_fridge"
	unknownBrowser = "Lynx"
	escapedSuffix  = ` \u00e9\ud83d\ude00\"\/`
	escapedValue   = ` é😀"/`
)
