package mockserver

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
	stage           int // how many steps of the funnel it takes, 1 to 4
	fails           bool
}

// visit returns the session that begins at a rank of an hour. length is the number of its events.
func (l *lively) visit(session int64, hour, length int) visit {
	v := visit{hash: l.hash(session)}
	v.user = l.visitor(v.hash, hour)
	own := mix(l.seed - uint64(v.user)*idStep)
	if v.hash>>8&7 == 0 { // another device of the same user
		own = mix(own)
	}
	v.device = deviceBySixteenth[own&15]
	v.browser = browserBySixteenth[v.device][own>>4&15]
	v.stage = min(length, stageByHundred(v.hash>>16&0xFFFF*100>>16))
	if hour == badHour && v.hash>>40%100 < failingShare {
		v.fails, v.browser, v.stage = true, safari, 1
	}
	return v
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

// stageByHundred returns the steps of the funnel that a session takes if it is long enough.
func stageByHundred(u uint64) int {
	switch {
	case u < 24:
		return 1
	case u < 62:
		return 2
	case u < 84:
		return 3
	}
	return 4
}

// visitor returns the user of a session. Users are in the order of their first visit, in groups. In
// a group, some come often and for weeks; most come for a few days.
func (l *lively) visitor(hash uint64, hour int) uint32 {
	h := mix(hash ^ golden)
	member := memberByByte[h&0xFF]
	u := h >> 8 & 0xFF
	var from, until uint64 // how long the user has been coming, in days
	switch {
	case member < 2:
		until = daysBefore
	case u < 140:
		until = 2
	case u < 205:
		from, until = 2, 7
	case u < 240:
		from, until = 7, 21
	default:
		from, until = 21, daysBefore
	}
	const parts = 1 << 20 // of an hour
	since := (from*24)<<20 + (h>>16&0xFFFFFFFF)*((until-from)*24)>>12
	first := uint64(hour+daysBefore*24+1)<<20 + h>>40&(parts-1) - since
	return uint32(first*uint64(l.newGroups)/(livelyHours<<20))*usersInGroup + uint32(member)
}

// memberByByte has each user of a group as often as the user comes: twice as often as the user
// with twice the number.
var memberByByte = func() (table [256]uint8) {
	for i, member := range zipf(len(table), usersInGroup, nil) {
		table[i] = uint8(member)
	}
	return table
}()

// zipf distributes n places: the k-th of many, from 1, gets a share proportional to 1/k. without
// lists those that get none.
func zipf(n, many int, without []int) (places []int) {
	weight := func(k int) int {
		for _, w := range without {
			if w == k {
				return 0
			}
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

// funnel is the kinds of events of a session's stages.
var funnel = [4]uint8{pageView, click, formSubmit, purchase}

// funnelSteps says where the steps of the funnel are among a session's other events: how many
// quarters of those are before each.
var funnelSteps = [8][4]int{
	{0, 0, 2, 4}, {0, 1, 2, 3}, {0, 0, 0, 0}, {0, 2, 4, 4}, {0, 0, 1, 2}, {0, 1, 4, 4}, {0, 0, 4, 4}, {0, 1, 1, 4},
}

// step returns what happens at a step of a session.
func (v *visit) step(p place) (kind, page uint8, cents uint32) {
	h := mix(v.hash + uint64(p.step)*idStep)
	if v.fails {
		if p.step > 0 && h&7 != 0 {
			return errorEvent, checkoutPage, 0
		}
		return pageView, checkoutPage, 0
	}
	// A page has two events of a session in a row.
	page = pageByShare[mix(v.hash^uint64(p.step>>1+1))>>54]
	steps := &funnelSteps[v.hash>>11&7]
	others, reached := p.length-v.stage, 0
	for i := range v.stage {
		at := i + others*steps[i]/4
		if at == p.step {
			return v.funnelStep(i, page, h)
		}
		if at < p.step {
			reached = i + 1
		}
	}
	if reached == 3 && v.stage == 4 || reached == 4 {
		page = checkoutPage
	}
	if h>>32&0x3FF < uint64(errorsOf(page)) {
		return errorEvent, page, 0
	}
	table := &beforeClick
	if reached > 1 {
		table = &afterClick
	}
	return table[h&15], page, 0
}

// funnelStep returns what happens at a step of the funnel.
func (v *visit) funnelStep(i int, page uint8, h uint64) (kind, _ uint8, cents uint32) {
	if i == 3 {
		price := prices[h>>8%uint64(len(prices))]
		return purchase, checkoutPage, price * uint32(1+h>>20&3*(h>>22&1)) // up to four of them
	}
	if i == 2 && v.stage == 4 {
		page = checkoutPage
	}
	return funnel[i], page, 0
}

var (
	// What sessions do besides, before they click for the first time and afterwards.
	beforeClick = [16]uint8{
		pageView, pageView, pageView, pageView, pageView, pageView, pageView, pageView,
		scroll, scroll, scroll, apiCall, apiCall, apiCall, videoPlay, videoPlay,
	}
	afterClick = [16]uint8{
		pageView, pageView, pageView, pageView, pageView, click, click, click, click, click,
		scroll, scroll, apiCall, apiCall, apiCall, videoPlay,
	}
	// prices are in cents.
	prices = [...]uint32{995, 1495, 1995, 1995, 2495, 2995, 2995, 3995, 4995, 5995, 7995, 9995, 12995, 19995, 34995}
)

// errorsOf returns how many of 1024 events of a page that belong to no step of the funnel are
// errors.
func errorsOf(page uint8) int {
	switch page {
	case checkoutPage:
		return 90
	case searchPage:
		return 80
	}
	return 62
}
