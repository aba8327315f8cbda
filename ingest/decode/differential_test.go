package decode

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"datasync/internal/model"

	"github.com/google/go-cmp/cmp"
)

// checkAgainstReference fails if the decoder and the reference differ on a body, and returns their result.
// The decoder may have decoded other pages before.
func checkAgainstReference(t *testing.T, d *Decoder, body string) (Page, bool) {
	t.Helper()
	want, ok := refDecodePage(body)
	got, err := d.Decode(body, []model.Event{stale(), stale(), stale(), stale(), stale(), stale()})
	if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatalf("error %v does not wrap ErrMalformed", err)
	}
	if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Fatalf("the error contains text of the page: %q", err)
	}
	if ok != (err == nil) {
		t.Fatalf("reference accepts: %v; decoder: %v\n%q", ok, err, body)
	}
	if !ok {
		return Page{}, false
	}
	if !samePage(&got, &want) {
		t.Fatalf("decoder (-) and reference (+) differ on %q:\n%s", body, diffPages(got, want))
	}
	return got, true
}

func samePage(a, b *Page) bool {
	if len(a.Events) != len(b.Events) || len(a.Rejects) != len(b.Rejects) {
		return false
	}
	for i := range a.Events {
		if a.Events[i] != b.Events[i] {
			return false
		}
	}
	for i := range a.Rejects {
		if a.Rejects[i] != b.Rejects[i] || a.RejectAfter[i] != b.RejectAfter[i] {
			return false
		}
	}
	return a.Elements == b.Elements && a.Damaged == b.Damaged && a.Counted == b.Counted && a.Descending == b.Descending && a.Ordered == b.Ordered && a.Newest == b.Newest && a.Oldest == b.Oldest && a.HasMore == b.HasMore &&
		a.NextCursor == b.NextCursor && a.CursorLife == b.CursorLife && a.Total == b.Total && a.RequestID == b.RequestID
}

func diffPages(a, b Page) string {
	type counts struct {
		Elements            int
		Descending, HasMore bool
		Newest, Oldest      model.Position
		Rest                string
	}
	rest := func(p Page) counts {
		return counts{p.Elements, p.Descending, p.HasMore, p.Newest, p.Oldest, fmt.Sprintf("%q %v %v %q", p.NextCursor, p.CursorLife, p.Total, p.RequestID)}
	}
	return cmp.Diff(a.Events, b.Events) + cmp.Diff(a.Rejects, b.Rejects) + cmp.Diff(rest(a), rest(b))
}

var (
	all           = flag.Bool("all", false, "try all cases where the tests try a few of them")
	decoderEvents = flag.Int("decoder-events", 200_000, "number of events of TestDecodePageAgainstReference with -all")
	decoderSeed   = flag.Uint64("decoder-seed", 20260127, "seed of these events")
)

// few returns n with -all, and otherwise a quarter, or a tenth in short tests.
func few(n int) int {
	switch {
	case *all:
		return n
	case testing.Short():
		return n / 10
	}
	return n / 4
}

func TestDecodePageAgainstReference(t *testing.T) {
	t.Parallel()
	events, pages, accepted := few(*decoderEvents), 0, 0
	g := &pageMaker{rng: rand.New(rand.NewPCG(*decoderSeed, 1))}
	d := New()
	var kept, rejected, damaged int
	for made := 0; made < events; pages++ {
		body, n := g.page()
		made += n
		if p, ok := checkAgainstReference(t, d, body); ok {
			accepted++
			kept += len(p.Events)
			rejected += len(p.Rejects)
			damaged += p.Damaged
		}
	}
	t.Logf("%d pages, %d accepted with %d events and %d rejects, %d of them malformed", pages, accepted, kept, rejected, damaged)
	if accepted < pages/3 || damaged < rejected/50 || kept < events/10 || rejected < events/10 {
		t.Error("the generator makes too few pages of some kind")
	}
}

// pageMaker makes unusual pages, most of them valid JSON.
type pageMaker struct {
	rng   *rand.Rand
	clock int64
}

func (g *pageMaker) oneOf(texts ...string) string { return texts[g.rng.IntN(len(texts))] }

// seldom returns true once in n times.
func (g *pageMaker) seldom(n int) bool { return g.rng.IntN(n) == 0 }

// page returns a page and the number of its elements.
func (g *pageMaker) page() (string, int) {
	n := g.rng.IntN(12)
	elements := make([]string, n)
	for i := range elements {
		elements[i] = g.element()
		if i > 0 && g.seldom(20) {
			elements[i] = elements[i-1]
		}
	}
	members := []string{g.name("data") + g.space() + ":" + g.space() + "[" + strings.Join(elements, g.space()+","+g.space()) + "]"}
	members = append(members, g.envelope(n)...)
	if g.seldom(10) {
		g.shuffle(members)
	}
	body := g.space() + "{" + strings.Join(members, ",") + "}" + g.space()
	for g.seldom(5) {
		body = g.damage(body)
	}
	return body, n
}

func (g *pageMaker) shuffle(texts []string) {
	g.rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
}

func (g *pageMaker) envelope(n int) []string {
	paging := []string{
		g.name("hasMore") + ":" + g.mostly("true", "false", "null", `"true"`, "1"),
		g.name("nextCursor") + ":" + g.mostly(`"eyJ9"`, `""`, "null", "7", "0", "-1.50e+2", "123456789012345678901234567890", `"7"`, "false", "[]", `"a\u0062\ud800"`, "{}"),
		g.name("cursorExpiresIn") + ":" + g.mostly("119", "0", "-3", "119.5", "1e400", "1e300", "null", `"119"`, "1e-9", "9e9"),
	}
	meta := []string{
		g.name("total") + ":" + g.mostly("3000000", "3e6", "-1", "1.5", "null", "1e400", "9223372036854775807", "9223372036854775808", "0", `"3"`, "-0", "1e-400"),
		g.name("requestId") + ":" + g.mostly(`"f3c1"`, "null", "1", `"\n"`),
	}
	if !g.seldom(3) {
		meta = append(meta, g.name("returned")+":"+g.mostly(fmt.Sprint(n), fmt.Sprintf("%d.0", n), fmt.Sprintf("%de0", n), fmt.Sprintf("%d0e-1", n), "null", "99", `"1"`))
	}
	if g.seldom(10) {
		paging = paging[:g.rng.IntN(len(paging))]
	}
	if g.seldom(10) {
		paging = append(paging, paging...)
		g.shuffle(paging)
	}
	if g.seldom(4) { // flat
		return append(paging, meta...)
	}
	members := []string{
		g.name("pagination") + ":" + g.mostly("{"+strings.Join(paging, ",")+"}", "null", "[]", "{}"),
		g.name("meta") + ":" + g.mostly("{"+strings.Join(meta, ",")+"}", "null", "{}", "{}", `"m"`),
	}
	if g.seldom(10) {
		members = append(members, paging...)
	}
	if g.seldom(10) {
		members = append(members, g.name("data")+":"+g.oneOf("[]", "null", "[1]", "["+g.element()+"]"))
	}
	return members
}

// mostly returns the first text, and sometimes another one.
func (g *pageMaker) mostly(text string, others ...string) string {
	if g.seldom(12) {
		return g.oneOf(others...)
	}
	return text
}

func (g *pageMaker) space() string {
	if g.seldom(8) {
		return g.oneOf(" ", "\t", "\r\n", "  ")
	}
	return ""
}

// name returns a member's name in quotes, sometimes with an escape.
func (g *pageMaker) name(name string) string {
	if g.seldom(40) {
		i := g.rng.IntN(len(name))
		name = fmt.Sprintf(`%s\u%04x%s`, name[:i], name[i], name[i+1:])
	}
	return `"` + name + `"`
}

func (g *pageMaker) element() string {
	if g.seldom(3) {
		event := g.typical()
		if g.seldom(2) {
			event = g.damage(event)
		}
		return event
	}
	if g.seldom(30) {
		return g.any(2)
	}
	members := g.members()
	if g.seldom(6) {
		g.shuffle(members)
	}
	if g.seldom(8) {
		i := g.rng.IntN(len(members))
		members = append(members[:i], members[i+1:]...)
	}
	return "{" + g.space() + strings.Join(members, g.space()+","+g.space()) + g.space() + "}"
}

// typical returns an event in the notation of the API, sometimes with a change.
func (g *pageMaker) typical() string {
	session := g.uuid()
	return `{"id":` + g.uuid() + `,"sessionId":` + session + `,"userId":` + g.uuid() +
		`,"type":` + g.or(g.oneOf(`"click"`, `"page_view"`, `"a_rather_long_name"`)) + `,"name":` + g.or(`"event_00042"`) +
		`,"properties":` + g.or(g.oneOf(`{"page":"/home"}`, `{"n":1,"page":"/home"}`, "{}", g.object(2))) +
		`,"timestamp":` + g.timestamp() + `,"session":{"id":` + session +
		`,"deviceType":` + g.or(g.oneOf(`"mobile"`, `"desktop"`)) + `,"browser":` + g.or(g.oneOf(`"Firefox"`, `"Edge"`)) + `}}`
}

func (g *pageMaker) members() []string {
	session := g.uuid()
	sessionID := session
	if g.seldom(20) {
		sessionID = g.oneOf(g.uuid(), strings.ToUpper(session), `"x"`, "null", `""`, g.any(1))
	}
	inner := []string{
		g.name("id") + ":" + sessionID,
		g.name("deviceType") + ":" + g.or(`"mobile"`),
		g.name("browser") + ":" + g.or(`"Firefox"`),
	}
	if g.seldom(15) {
		inner = append(inner, g.string()+":"+g.any(1))
	}
	if g.seldom(15) {
		g.shuffle(inner)
		inner = inner[:g.rng.IntN(len(inner))]
	}
	members := []string{
		g.name("id") + ":" + g.or(g.uuid()),
		g.name("sessionId") + ":" + g.or(session),
		g.name("userId") + ":" + g.or(g.uuid()),
		g.name("type") + g.space() + ":" + g.or(g.oneOf(`"click"`, `"page_view"`, `"\u0063lick"`)),
		g.name("name") + ":" + g.or(`"event_00042"`),
		g.name("properties") + ":" + g.or(g.oneOf(`{"page":"/home"}`, "{}", g.object(2))),
		g.name("timestamp") + ":" + g.space() + g.timestamp(),
		g.name("session") + ":" + g.or("{"+g.space()+strings.Join(inner, g.space()+",")+"}"),
	}
	for g.seldom(10) {
		members = append(members, g.string()+":"+g.any(2))
	}
	for g.seldom(15) {
		members = append(members, members[g.rng.IntN(len(members))], g.name("id")+":"+g.or(g.uuid()))
	}
	return members
}

// or returns a value, and sometimes another one.
func (g *pageMaker) or(value string) string {
	if g.seldom(25) {
		return g.oneOf("null", `""`, g.any(2))
	}
	return value
}

func (g *pageMaker) uuid() string {
	digits := fmt.Sprintf("%016x%016x", g.rng.Uint64(), g.rng.Uint64())
	id := digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
	switch g.rng.IntN(40) {
	case 0:
		id = strings.ToUpper(id)
	case 1:
		id = digits
	case 2:
		id = "{" + id + "}"
	case 3:
		i := g.rng.IntN(len(id))
		id = id[:i] + string(rune(g.rng.IntN(0x60)+0x20)) + id[i+1:]
	case 4:
		id = `\u0061` + id[1:]
	}
	return `"` + strings.NewReplacer(`"`, "x", "\x7f", "x").Replace(id) + `"`
}

func (g *pageMaker) timestamp() string {
	g.clock += int64(g.rng.IntN(5000)) - 100
	ms := 1769541612369 - g.clock
	switch g.rng.IntN(13) {
	case 0, 1, 2, 3:
		return fmt.Sprint(ms)
	case 4, 5, 6:
		return `"` + dateTimeOf(ms, "2006-01-02T15:04:05.000Z07:00") + `"`
	case 7:
		return `"` + fmt.Sprint(ms) + `"`
	case 8:
		return fmt.Sprintf("%d.%de%d", ms/1000, ms%1000, g.rng.IntN(7)-2)
	case 9:
		return `"` + dateTimeOf(ms, "2006-01-02"+g.oneOf("T", "t", " ", "  ", "")+"15:04:05"+
			g.oneOf("", ".0", ",123456789", ".", ".1234567")) + g.oneOf("Z", "z", "+05:30", "-0800", "+14", "", "+24:00", "-00:00") + `"`
	case 10:
		// The last ones are not stripped.
		around := []string{"", " ", `\t`, `\n`, `\u0000`, `\u001f`, "\x7f", "\u0085", "\u00a0", "\u00ad", "\u1680", "\u180e", "\u2003", "\u200b", "\u200f",
			`\u2028`, "\u202e", "\u205f", "\u2060", "\u3000", "\ufeff", `\ufeff`, "\U000e0001", "\u034f", "\u0301", "_", "\xff", `\ud800`}
		text := g.oneOf(fmt.Sprint(ms), dateTimeOf(ms, "2006-01-02T15:04:05.000Z07:00"), "2026-01-27T19:19:13 Z", "")
		return `"` + g.oneOf(around...) + g.oneOf(around...) + text + g.oneOf(around...) + `"`
	case 11:
		return g.oneOf("0", "-0", "-1", "-0.0001", "1e400", "1e-999999999", "253402300800000", "7258118399999.9999", "7258118400000",
			"9223372036854775807", "18446744073709551616", "9007199254740993", `"2016-12-31T23:59:60Z"`, `"2025-02-29T00:00:00Z"`,
			`"9999-12-31T23:59:59.999999999Z"`, `"0000-01-01T00:00:00Z"`, "0.0000e99999", "-1e-400", `"1769541612369.5"`, `"0001769541612369"`)
	default:
		return g.or(`"2026-01-27T19:19:13.629Z"`)
	}
}

// any returns a value of any type.
func (g *pageMaker) any(depth int) string {
	kinds := 5
	if depth > 0 {
		kinds = 7
	}
	switch g.rng.IntN(kinds) {
	case 0:
		return g.oneOf("true", "false", "null")
	case 1, 2:
		return g.oneOf("0", "-0", "1.50", "1E+2", "12345678901234567890", "-0.1e-7")
	case 3, 4:
		return g.string()
	case 5:
		return g.object(depth - 1)
	default:
		return "[" + g.space() + g.any(depth-1) + g.space() + "," + g.any(depth-1) + "]"
	}
}

func (g *pageMaker) object(depth int) string {
	members := make([]string, g.rng.IntN(4))
	for i := range members {
		members[i] = g.string() + g.space() + ":" + g.space() + g.any(depth)
	}
	return "{" + g.space() + strings.Join(members, g.space()+",") + "}"
}

func (g *pageMaker) string() string {
	var b strings.Builder
	b.WriteByte('"')
	for range g.rng.IntN(4) {
		b.WriteString(g.oneOf("a", "b", "id", "é", "\U0001f600", " ", `\n`, `\"`, `\\`, `\/`, `\u0000`, `\u0041`, `\u2028`, "\u2028",
			`\ud83d\ude00`, `\ud800`, `\udc00`, `\uD83D`, `\ufffd`, `\uFFFD`, "\xff", "\xc3", "\xed\xa0\x80", "\x7f", "<&>", "hasMore", `\b\f\r\t`, `\u001f`))
	}
	b.WriteByte('"')
	return b.String()
}

// damage changes, removes, adds or moves a few bytes.
func (g *pageMaker) damage(body string) string {
	if body == "" {
		return body
	}
	i := g.rng.IntN(len(body))
	j := i + g.rng.IntN(min(len(body)-i, 12)+1)
	switch g.rng.IntN(5) {
	case 0:
		return body[:i]
	case 1:
		return body[:i] + body[j:]
	case 2:
		return body[:j] + body[i:]
	case 3:
		return body[:i] + string([]byte{byte(g.rng.IntN(256))}) + body[i+1:]
	default:
		return body[:i] + g.oneOf(`"`, `\`, "{", "}", "[", "]", ",", ":", "0", "null", " ", "\x00", "e", "-", ".", "\xef\xbb\xbf", "\v") + body[i:]
	}
}
