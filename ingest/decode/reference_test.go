package decode

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// The reference decodes pages a second time, by the rules, with only encoding/json, regular expressions,
// time and math/big: slowly, and without code of the decoder. Any difference is a mistake in one of
// them.

type (
	refObject = map[string]json.RawMessage
	refValue  = json.RawMessage
)

// refDecodePage returns the page, or false if the body is not one.
func refDecodePage(body string) (Page, bool) {
	var elements []refValue
	if !json.Valid([]byte(body)) {
		var ok bool
		if body, elements, ok = refTakeData(body); !ok {
			return Page{}, false
		}
	}
	top, ok := refAsObject(refValue(body))
	if !ok || refDuplicate(refValue(body), "data", "pagination", "meta", "hasMore", "nextCursor", "cursorExpiresIn", "total", "returned", "requestId") {
		return Page{}, false
	}
	if first(top["data"]) != '[' || elements == nil && json.Unmarshal(top["data"], &elements) != nil {
		return Page{}, false
	}
	p := Page{Descending: true, Ordered: true, Elements: len(elements)}
	refElements(&p, elements)
	if !refPagination(&p, top) || !refMeta(&p, top) {
		return Page{}, false
	}
	return p, true
}

var refToken = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"|.`)

// refTakeData takes the elements out of data, in a malformed body, and returns the body without them. It
// fails unless the rest is well-formed.
func refTakeData(body string) (without string, elements []refValue, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(body))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", nil, false
	}
	for {
		name, err := decoder.Token()
		if err != nil || name == json.Delim('}') {
			return "", nil, false
		}
		at := int(decoder.InputOffset())
		colon := at + len(body[at:]) - len(strings.TrimLeft(body[at:], " \t\r\n"))
		if colon == len(body) || body[colon] != ':' {
			return "", nil, false
		}
		if begin := strings.TrimLeft(body[colon+1:], " \t\r\n"); name == "data" && strings.HasPrefix(begin, "[") {
			inner := begin[1:]
			elements, after, ok := refSplit(inner)
			without := body[:len(body)-len(inner)] + "]" + after
			return without, elements, ok && json.Valid([]byte(without))
		}
		var value refValue
		if decoder.Decode(&value) != nil {
			return "", nil, false
		}
	}
}

// refSplit splits an array after its opening bracket by strings, brackets and commas alone, and returns the
// text after its closing bracket.
func refSplit(text string) (elements []refValue, after string, ok bool) {
	open, element := 0, ""
	for text != "" {
		token := refToken.FindString(text)
		text = text[len(token):]
		switch {
		case token == `"`:
			return nil, "", false // nothing closes it
		case open == 0 && (token == "," || token == "]"):
			if element = strings.Trim(element, " \t\r\n"); element == "" {
				return nil, "", false
			}
			if elements = append(elements, refValue(element)); token == "]" {
				return elements, text, true
			}
			element = ""
			continue
		case open == 0 && token == "}":
			return nil, "", false
		case token == "{" || token == "[":
			open++
		case token == "}" || token == "]":
			open--
		}
		element += token
	}
	return nil, "", false
}

// refDamage returns the reason if an element is malformed, or nested too deep within its page.
func refDamage(raw refValue) string {
	var within refValue
	err := json.Unmarshal([]byte(`{"data":[`+string(raw)+`]}`), &within)
	switch {
	case err == nil:
		return ""
	case strings.Contains(err.Error(), "max depth"):
		return "too_deep"
	}
	return "bad_json"
}

// refBeginning returns the members of a malformed object before the mistake, and whether the id is a duplicate.
func refBeginning(raw refValue) (members refObject, idTwice, ok bool) {
	if first(raw) != '{' {
		return nil, false, false
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	_, err := decoder.Token()
	members = refObject{}
	for err == nil {
		var token json.Token
		if token, err = decoder.Token(); err != nil {
			break
		}
		name, isName := token.(string)
		if !isName {
			break
		}
		var value refValue
		if err = decoder.Decode(&value); err != nil || refDamage(refValue(`{"":`+string(value)+`}`)) != "" {
			break
		}
		idTwice = idTwice || name == "id" && members[name] != nil
		members[name] = value
	}
	return members, idTwice, true
}

var refKnown = []string{"id", "sessionId", "userId", "type", "name", "properties", "timestamp", "session"}

func refElements(p *Page, elements []refValue) {
	counts := map[string]int{}
	for _, raw := range elements {
		raw = bytes.Trim(raw, " \t\r\n")
		reason := refDamage(raw)
		var event model.Event
		if reason == "" {
			event, reason = refEvent(raw)
		} else {
			p.Damaged++
		}
		if reason != "" {
			p.Rejects = append(p.Rejects, refReject(raw, reason, counts))
			p.RejectAfter = append(p.RejectAfter, len(p.Events))
			continue
		}
		if n := len(p.Events); n > 0 {
			step := p.Events[n-1].Position().Compare(event.Position())
			p.Descending, p.Ordered = p.Descending && step > 0, p.Ordered && step >= 0
		}
		at := event.Position()
		if len(p.Events) == 0 || at.Compare(p.Newest) > 0 {
			p.Newest = at
		}
		if len(p.Events) == 0 || at.Compare(p.Oldest) < 0 {
			p.Oldest = at
		}
		p.Events = append(p.Events, event)
	}
}

// refDuplicate reports whether one of these members of an object, or any if none are given, is a duplicate.
func refDuplicate(raw refValue, names ...string) bool {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if _, err := decoder.Token(); err != nil {
		panic(err)
	}
	seen := map[string]bool{}
	for decoder.More() {
		name, err := decoder.Token()
		var value refValue
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			panic(err)
		}
		text := name.(string)
		if seen[text] && (len(names) == 0 || slices.Contains(names, text)) {
			return true
		}
		seen[text] = true
	}
	return false
}

// refGroup returns the object of that name, or the top level without one.
func refGroup(top refObject, name string) (refObject, bool) {
	if refAbsent(top[name]) {
		return top, true
	}
	return refAsObject(top[name])
}

func refPagination(p *Page, top refObject) bool {
	group, ok := refGroup(top, "pagination")
	if !ok || !refAbsent(top["pagination"]) && refDuplicate(top["pagination"], "hasMore", "nextCursor", "cursorExpiresIn") || refAbsent(group["hasMore"]) || json.Unmarshal(group["hasMore"], &p.HasMore) != nil {
		return false
	}
	if v := group["nextCursor"]; refIsNumber(v) {
		p.NextCursor = string(v)
	} else if !refAbsent(v) && json.Unmarshal(v, &p.NextCursor) != nil {
		return false
	}
	var seconds float64
	if refIsNumber(group["cursorExpiresIn"]) && json.Unmarshal(group["cursorExpiresIn"], &seconds) == nil && seconds > 0 {
		p.CursorLife = math.MaxInt64
		if seconds < math.MaxInt64/1e9 {
			p.CursorLife = time.Duration(seconds * 1e9)
		}
	}
	return true
}

func refMeta(p *Page, top refObject) bool {
	group, ok := refGroup(top, "meta")
	if !ok || !refAbsent(top["meta"]) && refDuplicate(top["meta"], "total", "returned", "requestId") {
		return false
	}
	if returned, there := group["returned"]; there {
		n, ok := refNumber(returned)
		if !ok || n.Cmp(big.NewRat(int64(p.Elements), 1)) != 0 {
			return false
		}
		p.Counted = true
	}
	if n, ok := refNumber(group["total"]); ok && n.IsInt() && n.Sign() >= 0 && n.Num().IsInt64() {
		p.Total = sql.Null[int64]{V: n.Num().Int64(), Valid: true}
	}
	p.RequestID, _ = refString(group["requestId"])
	return true
}

func first(raw refValue) byte {
	if raw = bytes.TrimLeft(raw, " \t\r\n"); len(raw) > 0 {
		return raw[0]
	}
	return 0
}

func refAbsent(raw refValue) bool { return len(raw) == 0 || string(raw) == "null" }

func refIsNumber(raw refValue) bool { return strings.IndexByte("-0123456789", first(raw)) >= 0 }

func refAsObject(raw refValue) (refObject, bool) {
	if first(raw) != '{' {
		return nil, false
	}
	var object refObject
	return object, json.Unmarshal(raw, &object) == nil
}

func refString(raw refValue) (string, bool) {
	if first(raw) != '"' {
		return "", false
	}
	var text string
	return text, json.Unmarshal(raw, &text) == nil
}

// refNumber returns the exact value of a number. It limits exponents that would occupy math/big forever, to
// values that mean the same to all callers.
func refNumber(raw refValue) (*big.Rat, bool) {
	if !refIsNumber(raw) {
		return nil, false
	}
	text := strings.ToLower(string(raw))
	if mantissa, exponent, found := strings.Cut(text, "e"); found {
		limit := big.NewInt(int64(500 + len(text)))
		e, _ := new(big.Int).SetString(exponent, 10)
		if e.CmpAbs(limit) > 0 {
			limit.Mul(limit, big.NewInt(int64(e.Sign())))
			e = limit
		}
		text = mantissa + "e" + e.String()
	}
	return new(big.Rat).SetString(text)
}

var refLoneSurrogate = regexp.MustCompile(
	`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.`)

func refMinify(raw refValue) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		panic(err)
	}
	text := string([]rune(b.String()))
	return refLoneSurrogate.ReplaceAllStringFunc(text, func(escape string) string {
		if len(escape) == len(`\ud800`) {
			return `\ufffd`
		}
		return escape
	})
}

func refQuote(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func refUUID(raw refValue) (uuid.UUID, bool) {
	text, _ := refString(raw)
	if len(text) != 36 {
		return uuid.UUID{}, false
	}
	id, err := uuid.Parse(text)
	if err != nil { // the result has the bytes parsed so far
		return uuid.UUID{}, false
	}
	return id, true
}

var (
	refFrom  = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	refUntil = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func refEvent(raw refValue) (model.Event, string) {
	members, ok := refAsObject(raw)
	if !ok {
		return model.Event{}, "not_an_object"
	}
	var e model.Event
	for _, required := range []struct {
		name, reason string
		read         func(refValue) (problem string)
	}{
		{"id", "id", func(v refValue) string {
			e.ID, ok = refUUID(v)
			return problem(ok)
		}},
		{"timestamp", "timestamp", func(v refValue) string {
			us, ok := refTimestamp(v)
			if !ok {
				return "bad_timestamp"
			}
			if us.Cmp(big.NewInt(refFrom.UnixMicro())) < 0 || us.Cmp(big.NewInt(refUntil.UnixMicro())) >= 0 {
				return "timestamp_out_of_range"
			}
			e.Timestamp = model.Instant(us.Int64())
			return ""
		}},
		{"type", "type", func(v refValue) string {
			e.Type, ok = refString(v)
			return problem(ok)
		}},
		{"sessionId", "session_id", func(v refValue) string {
			e.SessionID, ok = refUUID(v)
			return problem(ok)
		}},
	} {
		v := members[required.name]
		if refAbsent(v) || string(v) == `""` {
			return model.Event{}, "missing_" + required.reason
		}
		switch what := required.read(v); what {
		case "":
		case "bad":
			return model.Event{}, "bad_" + required.reason
		default:
			return model.Event{}, what
		}
		delete(members, required.name)
	}
	session := members["session"]
	e.Extra = refOptional(&e, members)
	switch {
	case refDuplicate(raw), first(session) == '{' && refDuplicate(session):
		return model.Event{}, "member_twice"
	case !refLossless(raw):
		return model.Event{}, "bad_text"
	}
	return e, ""
}

// refLossless reports whether the text has neither invalid UTF-8 nor a lone surrogate.
func refLossless(raw refValue) bool {
	return utf8.Valid(raw) && !slices.ContainsFunc(refLoneSurrogate.FindAll(raw, -1), func(escape []byte) bool { return len(escape) == len(`\ud800`) })
}

func problem(ok bool) string {
	if ok {
		return ""
	}
	return "bad"
}

// refOptional fills the known members, and returns the others encoded.
func refOptional(e *model.Event, members refObject) (extra string) {
	refTake(members, "userId", func(v refValue) (ok bool) {
		e.UserID.UUID, ok = refUUID(v)
		e.UserID.Valid = ok
		return ok
	})
	refTakeString(members, "name", &e.Name)
	refTake(members, "properties", func(v refValue) bool {
		if first(v) != '{' {
			return false
		}
		e.Properties = refMinify(v)
		return true
	})
	session, isObject := refAsObject(members["session"])
	if isObject {
		delete(members, "session")
		refTake(session, "id", func(v refValue) bool {
			text, ok := refString(v)
			return ok && strings.EqualFold(text, e.SessionID.String()) && len(text) == 36
		})
		refTakeString(session, "deviceType", &e.DeviceType)
		refTakeString(session, "browser", &e.Browser)
		if odd := refEncode(session); odd != "" {
			members["session"] = refValue(odd)
		}
	} else {
		refTake(members, "session", func(refValue) bool { return false })
	}
	return refEncode(members)
}

// refTake removes a member that is absent or that take accepts.
func refTake(members refObject, name string, take func(refValue) bool) {
	if v := members[name]; refAbsent(v) || take(v) {
		delete(members, name)
	}
}

func refTakeString(members refObject, name string, to *sql.NullString) {
	refTake(members, name, func(v refValue) bool {
		to.String, to.Valid = refString(v)
		return to.Valid
	})
}

func refEncode(members refObject) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, refQuote(name)+":"+refMinify(members[name]))
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func refReject(raw refValue, reason string, counts map[string]int) model.Reject {
	r := model.Reject{Reason: reason, Raw: string(raw)}
	if !utf8.Valid(raw) {
		r.Raw = ""
		for i, c := range string(raw) {
			if c == utf8.RuneError && !bytes.HasPrefix(raw[i:], []byte("\ufffd")) {
				r.Raw += fmt.Sprintf(`\x%02x`, raw[i])
			} else {
				r.Raw += string(c)
			}
		}
	}
	members, isObject := refAsObject(raw)
	damaged := reason == "bad_json" || reason == "too_deep"
	idTwice := isObject && !damaged && refDuplicate(raw, "id")
	if damaged {
		members, idTwice, isObject = refBeginning(raw)
	}
	if us, ok := refTimestamp(members["timestamp"]); ok && us.IsInt64() && inRange(model.Instant(us.Int64())) {
		r.Timestamp = sql.Null[model.Instant]{V: model.Instant(us.Int64()), Valid: true}
	}
	r.ID.UUID, r.ID.Valid = refUUID(members["id"])
	if idTwice {
		r.ID = uuid.NullUUID{}
	}
	if r.ID.Valid {
		r.Key = "id:" + r.ID.UUID.String()
		return r
	}
	var canonical string
	if damaged || reason == "member_twice" || !refLossless(raw) || isObject && refDuplicate(raw, refKnown...) {
		canonical = string(raw)
	} else if len(raw) > 1<<20 {
		canonical = refMinify(raw)
	} else {
		timestamp := ""
		if us, ok := refTimestamp(members["timestamp"]); ok && us.IsInt64() {
			timestamp = us.String()
		}
		canonical = refCanonical(raw, timestamp)
	}
	hash := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(canonical)))
	r.Key = hash + "#" + strconv.Itoa(counts[hash])
	counts[hash]++
	return r
}

func refCanonical(raw refValue, timestamp string) string {
	switch first(raw) {
	case '{':
		members, _ := refAsObject(raw)
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(members)) {
			value := refCanonical(members[name], "")
			if name == "timestamp" && timestamp != "" {
				value = timestamp
			}
			parts = append(parts, refQuote(name)+":"+value)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case '[':
		var elements []refValue
		if err := json.Unmarshal(raw, &elements); err != nil {
			panic(err)
		}
		var parts []string
		for _, e := range elements {
			parts = append(parts, refCanonical(e, ""))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case '"':
		text, _ := refString(raw)
		return refQuote(text)
	default:
		return strings.Trim(string(raw), " \t\r\n")
	}
}

// refTimestamp returns a timestamp in microseconds.
func refTimestamp(raw refValue) (*big.Int, bool) {
	if text, ok := refString(raw); ok {
		return refInstant(refAround.ReplaceAllString(text, ""), true)
	}
	if !refIsNumber(raw) {
		return nil, false
	}
	return refInstant(string(raw), false)
}

var (
	refAround   = regexp.MustCompile(`^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$`)
	refDigits   = regexp.MustCompile(`^[0-9]+$`)
	refDateTime = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?` +
		`([Zz]|([+-])(\d\d)(?::?(\d\d))?)$`)
)

func refInstant(text string, quoted bool) (*big.Int, bool) {
	if quoted && !refDigits.MatchString(text) {
		return refParseDateTime(text)
	}
	if quoted { // leading zeros are valid digits, but not a JSON number
		ms, _ := new(big.Int).SetString(text, 10)
		return ms.Mul(ms, big.NewInt(1000)), true
	}
	ms, ok := refNumber(refValue(text))
	if !ok {
		return nil, false
	}
	us := ms.Mul(ms, big.NewRat(1000, 1))
	// Euclidean division by a positive denominator rounds down.
	return new(big.Int).Div(us.Num(), us.Denom()), true
}

func refParseDateTime(text string) (*big.Int, bool) {
	m := refDateTime.FindStringSubmatch(text)
	if m == nil {
		return nil, false
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(m[i])
		return v
	}
	day := time.Date(n(1), time.Month(n(2)), n(3), 0, 0, 0, 0, time.UTC)
	if day.Format("2006-01-02") != fmt.Sprintf("%04d-%02d-%02d", n(1), n(2), n(3)) {
		return nil, false
	}
	if n(4) > 23 || n(5) > 59 || n(6) > 60 || n(10) > 23 || n(11) > 59 {
		return nil, false
	}
	offset := time.Duration(n(10))*time.Hour + time.Duration(n(11))*time.Minute
	if m[9] == "-" {
		offset = -offset
	}
	micros, _ := strconv.Atoi((m[7] + "000000")[:6])
	at := time.Date(n(1), time.Month(n(2)), n(3), n(4), n(5), n(6), micros*1000, time.UTC).Add(-offset)
	return big.NewInt(at.UnixMicro()), true
}
