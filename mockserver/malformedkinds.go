package mockserver

import (
	"fmt"
)

// Malformed is a way in which an event's wire form is broken or unusual.
type Malformed uint8

// A client must reject events of the kinds from IDMissing to SessionIDMalformed, and store those
// of the kinds from UserMissing on.
const (
	Clean Malformed = iota

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
	TimestampGarbage  // text that is not a date
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
	PropertiesLookalike // a string that looks like the end of a page
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
	NanoTimestamp   // ISO 8601 with nine digits of fraction
	NameEscaped     // \u escapes, with a surrogate pair
	KeyOrder        // members in another order
	Whitespace      // spaces, tabs and line breaks between the tokens

	malformedEnd
)

const firstTolerated = UserMissing

var malformedNames = [malformedEnd]string{
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

func (k Malformed) String() string {
	if k >= malformedEnd {
		return fmt.Sprintf("Malformed(%d)", uint8(k))
	}
	return malformedNames[k]
}

// Storable reports whether an event of this kind has all required fields.
func (k Malformed) Storable() bool { return k == Clean || k >= firstTolerated }

// Field returns the required field that the kind makes unusable, empty if none.
func (k Malformed) Field() string {
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

// AllMalformed returns every kind but Clean.
func AllMalformed() []Malformed { return malformedBetween(Clean+1, malformedEnd) }

// RejectedMalformed returns the kinds that a client must reject.
func RejectedMalformed() []Malformed { return malformedBetween(Clean+1, firstTolerated) }

// ToleratedMalformed returns the unusual kinds that a client must store.
func ToleratedMalformed() []Malformed { return malformedBetween(firstTolerated, malformedEnd) }

func malformedBetween(from, to Malformed) []Malformed {
	var kinds []Malformed
	for k := from; k < to; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

func (k Malformed) subMillisecond() bool { return k == MicroTimestamp || k == NanoTimestamp }

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
