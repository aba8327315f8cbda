package mockserver

import "slices"

// The kinds of events, as indexes into eventTypes.
const (
	pageView uint8 = iota
	click
	apiCall
	formSubmit
	scroll
	purchase
	errorEvent
	videoPlay
)

const (
	// eventsPerUser is the mean number of events of a user, roughly.
	eventsPerUser = 64
	// usersInGroup are the users who come for the first time at about the same time.
	usersInGroup = 16
	// daysBefore is the longest time for which a user has been coming at the first event.
	daysBefore = 64

	mobile, tablet, desktop = 0, 1, 2
	safari                  = 1
)

// visit is what the events of a session have in common.
type visit struct {
	hash            uint64
	user            uint32
	device, browser uint8
	stage           uint8 // how many steps of the funnel it takes, 1 to 4; 0 if it fails
}

// visit makes v the session that begins at a rank of an hour. length is the number of its events.
// To return a struct of so many fields takes more time than to compute it.
func (l *lively) visit(v *visit, session int64, hour, length int) {
	h := l.hash(session)
	user := l.visitor(h, hour)
	own := mix(l.seed - uint64(user)*idStep)
	if h>>8&7 == 0 { // another device of the same user
		own = mix(own)
	}
	device := deviceBySixteenth[own&15]
	v.hash, v.user, v.device, v.browser = h, user, device, browserBySixteenth[device][own>>4&15]
	v.stage = min(uint8(length), stageByHundred[h>>16&0xFFFF*100>>16])
	if hour == badHour && h>>40%100 < failingShare {
		v.browser, v.stage = safari, 0
	}
}

// failingShare is the share of sessions that fail in the bad hour, in per cent.
const failingShare = 45

var (
	deviceBySixteenth = [16]uint8{
		mobile, mobile, mobile, mobile, mobile, mobile, mobile, mobile,
		desktop, desktop, desktop, desktop, desktop, desktop, tablet, tablet,
	}
	// By device, then as indexes into browsers: Chrome, Safari, Edge, Firefox.
	browserBySixteenth = [len(deviceTypes)][16]uint8{
		mobile:  {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 3},
		tablet:  {0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3},
		desktop: {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3},
	}
)

// stageByHundred is how many steps of the funnel sessions take that are long enough.
var stageByHundred = func() (table [100]uint8) {
	for u := range table {
		switch {
		case u < 24:
			table[u] = 1
		case u < 62:
			table[u] = 2
		case u < 84:
			table[u] = 3
		default:
			table[u] = 4
		}
	}
	return table
}()

// visitor returns the user of a session. Users are in the order of their first visit, in groups. In
// a group, some come often and for weeks; most come for a few days.
func (l *lively) visitor(hash uint64, hour int) uint32 {
	h := mix(hash ^ golden)
	member := memberByByte[h&0xFF]
	frequent := (uint64(member>>1) - 1) >> 63 // 1 for the first two, else 0
	age := &agesByByte[h>>8&0xFF|frequent<<8]
	const parts = 1 << 20 // of an hour
	since := age.from<<20 + (h>>16&0xFFFFFFFF)*age.width>>12
	first := uint64(hour+daysBefore*24+1)<<20 + h>>40&(parts-1) - since
	return uint32(first*l.newGroups/(livelyHours<<20))*usersInGroup + uint32(member)
}

// ages is how long users have been coming: from some hours to width more.
type ages struct{ from, width uint64 }

// agesByByte has those of most users, then those of users who come often.
var agesByByte = func() (table [512]ages) {
	for u := range table {
		switch {
		case u < 140:
			table[u] = ages{width: 2 * 24}
		case u < 205:
			table[u] = ages{from: 2 * 24, width: 5 * 24}
		case u < 240:
			table[u] = ages{from: 7 * 24, width: 14 * 24}
		case u < 256:
			table[u] = ages{from: 21 * 24, width: (daysBefore - 21) * 24}
		default:
			table[u] = ages{width: daysBefore * 24}
		}
	}
	return table
}()

// memberByByte has each user of a group as often as the user comes: the second half as often as the
// first, the third a third as often.
var memberByByte = func() (table [256]uint8) {
	for i, member := range zipf(len(table), usersInGroup, nil) {
		table[i] = uint8(member)
	}
	return table
}()

// zipf distributes n places among as many: the k-th, from 0, gets a share proportional to 1/(k+1).
// without lists those that get none.
func zipf(n, many int, without []int) (places []int) {
	weight := func(k int) int {
		if slices.Contains(without, k) {
			return 0
		}
		return 1_000_000 / (k + 1)
	}
	sum := 0
	for k := range many {
		sum += weight(k)
	}
	part := 0
	for k := range many {
		part += weight(k)
		for len(places) < (part*n+sum/2)/sum {
			places = append(places, k)
		}
	}
	return places
}

// funnelSteps says where the steps of the funnel are among a session's other events: how many
// quarters of those are before each.
var funnelSteps = [8][4]int{
	{0, 0, 2, 4}, {0, 1, 2, 3}, {0, 0, 0, 0}, {0, 2, 4, 4}, {0, 0, 1, 2}, {0, 1, 4, 4}, {0, 0, 4, 4}, {0, 1, 1, 4},
}

// choice says what a step of a session can be.
type choice struct {
	kinds    uint8 // index into kindsOf
	checkout bool  // it is on the checkout page
	other    bool  // it is no step of the funnel, so it may be an error
}

// choices has the choice by the session's stage less one, its length, its place in funnelSteps and
// the step.
var choices = func() (table [4][longestSession + 1][len(funnelSteps)][longestSession]choice) {
	for s := range table {
		for length := s + 1; length <= longestSession; length++ {
			for way := range funnelSteps {
				chooseSteps(table[s][length][way][:length], s+1, &funnelSteps[way])
			}
		}
	}
	return table
}()

// chooseSteps fills in the steps of a session. The events after a form are on the checkout page if a
// purchase follows.
func chooseSteps(steps []choice, stage int, quarters *[4]int) {
	reached := 0 // steps of the funnel so far
	for i := range steps {
		if reached < stage && i == reached+(len(steps)-stage)*quarters[reached]/4 {
			steps[i] = choice{kinds: uint8(reached), checkout: reached >= 2 && stage == 4}
			reached++
			continue
		}
		steps[i] = choice{kinds: beforeClick, checkout: reached >= 3 && stage == 4, other: true}
		if reached > 1 {
			steps[i].kinds = afterClick
		}
	}
}

// step returns what happens at a step of a session. It has few branches, because a processor cannot
// predict them.
func (v *visit) step(p place) (kind, page uint8, cents uint32) {
	h := mix(v.hash + uint64(p.step)*idStep)
	if v.stage == 0 {
		if p.step > 0 && h&7 != 0 {
			return errorEvent, checkoutPage, 0
		}
		return pageView, checkoutPage, 0
	}
	// A page has two events of a session in a row.
	page = pageByShare[mix(v.hash^uint64(p.step>>1+1))>>54]
	c := choices[v.stage-1][p.length][v.hash>>11&7][p.step]
	if c.checkout {
		page = checkoutPage
	}
	kind = kindsOf[c.kinds][h&15]
	if c.other && h>>32&0x3FF < uint64(errorsOf[page]) {
		return errorEvent, page, 0
	}
	if kind == purchase {
		price := prices[h>>8%uint64(len(prices))]
		cents = price * uint32(1+h>>20&3*(h>>22&1)) // up to four of them
	}
	return kind, page, cents
}

const beforeClick, afterClick = 4, 5

var (
	// kindsOf has the steps of the funnel, and what sessions do besides before they click for the first
	// time, and afterwards.
	kindsOf = [6][16]uint8{
		kindsOfOne(pageView), kindsOfOne(click), kindsOfOne(formSubmit), kindsOfOne(purchase),
		beforeClick: {
			pageView, pageView, pageView, pageView, pageView, pageView, pageView, pageView,
			scroll, scroll, scroll, apiCall, apiCall, apiCall, videoPlay, videoPlay,
		},
		afterClick: {
			pageView, pageView, pageView, pageView, pageView, click, click, click, click, click,
			scroll, scroll, apiCall, apiCall, apiCall, videoPlay,
		},
	}
	// prices are in cents.
	prices = [...]uint32{995, 1495, 1995, 1995, 2495, 2995, 2995, 3995, 4995, 5995, 7995, 9995, 12995, 19995, 34995}
	// errorsOf is how many of 1024 events of a page that belong to no step of the funnel are errors.
	errorsOf = func() (table [len(pagePaths)]uint8) {
		for page := range table {
			table[page] = 62
		}
		table[checkoutPage], table[searchPage] = 90, 80
		return table
	}()
)

func kindsOfOne(kind uint8) (all [16]uint8) {
	for i := range all {
		all[i] = kind
	}
	return all
}
