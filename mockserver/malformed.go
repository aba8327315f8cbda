package mockserver

// Expectation is what a correct client does with an event.
type Expectation struct {
	Storable  bool
	Field     string // the required field that is unusable, if any
	Malformed Malformed
}

// Expected returns what a correct client does with event i. It does not know about
// Options.ChaosRate, which depends on the request.
func (d *Dataset) Expected(i int) Expectation {
	k := d.Event(i).Malformed
	return Expectation{Storable: k.Storable(), Field: k.Field(), Malformed: k}
}

// malformed picks the kind for a key; h is the event's hash.
func (d *Dataset) malformed(key int64, h uint64) Malformed {
	kinds := d.opts.DirtyKinds
	if every := int64(d.opts.DirtyEvery); every > 0 {
		if block, rest := floorDiv(key, every); rest == every-1 {
			_, turn := floorDiv(block, int64(len(kinds)))
			return kinds[turn]
		}
	}
	if rate := d.opts.DirtyRate; rate > 0 {
		u := mix(h ^ d.malformedSeed)
		if float64(u>>11)/(1<<53) < rate {
			return kinds[mix(u)%uint64(len(kinds))]
		}
	}
	if d.lively != nil {
		return d.lively.malformed(d.rank(key))
	}
	return Clean
}

// apply changes an event to what a correct client reads from its malformed wire form.
func (k Malformed) apply(e *Event) {
	switch k {
	case UserMissing, UserNull, UserMalformed:
		e.UserID = [16]byte{}
	case NameMissing, NameNumber:
		e.Name = ""
	case NameEscaped:
		e.Name += escapedValue
	case PropertiesMissing, PropertiesNull, PropertiesArray:
		e.Properties = ""
	case PropertiesNested:
		e.Properties = e.Properties[:len(e.Properties)-1] + nestedTail
	case PropertiesLookalike:
		e.Properties = e.Properties[:len(e.Properties)-1] + lookalikeTail
	case SessionMissing, SessionNull, SessionText:
		e.DeviceType, e.Browser = "", ""
	case TypeUnknown:
		e.Type = unknownType
	case DeviceUnknown:
		e.DeviceType = unknownDevice
	case BrowserUnknown:
		e.Browser = unknownBrowser
	}
}
