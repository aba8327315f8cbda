package mockserver

// Expectation is what a right client does with an event.
type Expectation struct {
	Storable bool
	Field    string // the required field that is spoilt, if any
	Dirt     Dirt
}

// Expected tells what a right client does with event i. It leaves out what
// Options.ChaosRate spoils in single readings.
func (d *Dataset) Expected(i int) Expectation {
	k := d.Event(i).Dirt
	return Expectation{Storable: k.Storable(), Field: k.Field(), Dirt: k}
}

// dirt picks the kind for a key; h is the event's hash.
func (d *Dataset) dirt(key int64, h uint64) Dirt {
	kinds := d.opts.DirtyKinds
	if every := int64(d.opts.DirtyEvery); every > 0 {
		if block, rest := floorDiv(key, every); rest == every-1 {
			_, turn := floorDiv(block, int64(len(kinds)))
			return kinds[turn]
		}
	}
	if rate := d.opts.DirtyRate; rate > 0 {
		u := mix(h ^ d.dirtSeed)
		if float64(u>>11)/(1<<53) < rate {
			return kinds[mix(u)%uint64(len(kinds))]
		}
	}
	return Clean
}

// apply changes an event to what a right reading of its spoilt form yields.
func (k Dirt) apply(e *Event) {
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
