package decode

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// maxCanonical is the size in bytes up to which an element is put into canonical
// form for its key. That takes many times the element's memory, and what is
// larger is no spoilt event: of that only the white space is taken out.
const maxCanonical = 1 << 20

// rejectKeys counts the rejects of a page by their hash, so that equal ones get
// keys of their own, and the same ones when the page is read again.
type rejectKeys map[[sha256.Size]byte]int

// maxRejectText is how many bytes of a reject's text are kept at most, keptOfLarge how many are of one
// that is larger: enough to see what it is.
const (
	maxRejectText = maxElement
	truncatedLen  = 64 << 10
)

// reject makes a reject of the element from start to end, which is the last one
// that was scanned. Of one that is no JSON it shows what was read before the scan failed.
func (n *normalizer) reject(start, end int, reason string, keys rejectKeys) model.Reject {
	raw := n.scan.text[start:end]
	r := model.Reject{Reason: reason, Raw: keptText(raw)}
	isObject := n.scan.at(start, '{')
	if isObject {
		r.ID.Valid = n.event.duplicated&(1<<eventID) == 0 && n.id(eventID, &r.ID.UUID)
		if t, read := n.timestamp(); read == readable && inRange(t) {
			r.Timestamp = sql.Null[model.Instant]{V: t, Valid: true}
		}
	}
	switch {
	case r.ID.Valid:
		r.Key = "id:" + r.ID.UUID.String()
	case isObject && n.event.duplicated != 0, reason == reasonDuplicateMember, isDamage(reason), reason == reasonTooLarge, !isLossless(raw):
		// No other form means the same to everyone, or it takes too much memory.
		r.Key = keys.next(bytesOf(raw))
	case len(raw) > maxCanonical:
		r.Key = keys.next([]byte(minify(raw, allFlags)))
	case isObject:
		r.Key = keys.next(canonicalJSON(raw, n.canonicalTimestamp()))
	default:
		r.Key = keys.next(canonicalJSON(raw, ""))
	}
	return r
}

// keptText returns what is kept of an element's text: all of it, with bytes that are no UTF-8 made
// visible, or, where that is more than maxKeptReject, its beginning and a last line that tells the
// size and the digest of the element.
func keptText(raw string) string {
	if len(raw) <= maxRejectText && utf8.ValidString(raw) {
		return raw
	}
	if len(raw) <= maxRejectText && len(raw)+3*invalidBytes(raw) <= maxRejectText {
		return visibleBytes(raw)
	}
	return cutText(raw[:truncatedLen], int64(len(raw)), sha256.Sum256(bytesOf(raw)))
}

// cutText returns what is kept of a large element by its beginning, without half a character at the
// end, its size and its digest.
func cutText(beginning string, size int64, digest [sha256.Size]byte) string {
	for i := len(beginning) - 1; i >= 0 && i > len(beginning)-utf8.UTFMax; i-- {
		if utf8.RuneStart(beginning[i]) {
			if !utf8.FullRuneInString(beginning[i:]) {
				beginning = beginning[:i]
			}
			break
		}
	}
	return fmt.Sprintf("%s\n[cut off: %d bytes in all, SHA-256 %x]", visibleBytes(beginning), size, digest)
}

// invalidBytes counts the bytes that are no UTF-8.
func invalidBytes(text string) (n int) {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			n++
		}
	}
	return n
}

// bytesOf returns the bytes of a text, which must not be written to, without a copy of them.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// anonymous reports whether the last element, from start to end, which was rejected for the reason, has
// neither id nor timestamp, session or name: it may come many times alike. One that is no JSON has
// them if their names are in its text.
func (n *normalizer) anonymous(start, end int, reason string) bool {
	raw := n.scan.text[start:end]
	if raw[0] != '{' {
		return true
	}
	if isDamage(reason) && slices.ContainsFunc([]string{`"id"`, `"timestamp"`, `"sessionId"`, `"name"`}, func(name string) bool { return strings.Contains(raw, name) }) {
		return false
	}
	return n.empty(eventID) && n.empty(eventTimestamp) && n.empty(eventSessionID) && n.empty(eventName)
}

// AnonymousCounter counts the anonymous rejects that stand behind the last event, by their hash.
type AnonymousCounter struct {
	after  uuid.NullUUID
	Counts map[string]int
}

// since begins anew, unless it is the same event as before that page began.
func (a *AnonymousCounter) since(event uuid.NullUUID) {
	if a.Counts == nil || a.after != event {
		*a = AnonymousCounter{event, map[string]int{}}
	}
}

// NameAnonymous makes the keys of anonymous rejects tell where they stand: behind which
// event, unless that is not known, and as which one of their like. Before is the event
// behind which the page begins; a has counted since then, and goes on.
func (p *Page) NameAnonymous(before uuid.NullUUID, a *AnonymousCounter) {
	a.since(before)
	behind := 0
	to := func(n int) {
		if n > behind {
			behind = n
			*a = AnonymousCounter{uuid.NullUUID{UUID: p.Events[n-1].ID, Valid: true}, map[string]int{}}
		}
	}
	for _, i := range p.anonymous {
		to(p.RejectAfter[i])
		hash, _, _ := strings.Cut(p.Rejects[i].Key, "#")
		place := hash
		if a.after.Valid {
			place += "@" + a.after.UUID.String()
		}
		p.Rejects[i].Key = place + "#" + strconv.Itoa(a.Counts[hash])
		a.Counts[hash]++
	}
	to(len(p.Events))
}

// next returns the key of the next reject that has this canonical form.
func (k rejectKeys) next(canonical []byte) string { return k.nextOf(sha256.Sum256(canonical)) }

// nextOf is next for a hash.
func (k rejectKeys) nextOf(hash [sha256.Size]byte) string {
	n := k[hash]
	k[hash]++
	return "sha256:" + hex.EncodeToString(hash[:]) + "#" + strconv.Itoa(n)
}

// canonicalTimestamp returns the timestamp of the last element in microseconds,
// so that the two shapes in which the API writes it make no difference; "" where
// it cannot be read.
func (n *normalizer) canonicalTimestamp() string {
	t, read := n.timestamp()
	if read != readable {
		return ""
	}
	return strconv.FormatInt(int64(t), 10)
}

// canonicalJSON returns the one form of all texts that mean the same element:
// members sorted by name at every level, the last of several of one name alone,
// strings in one notation, numbers as they came, no white space between. A
// timestamp, where given, replaces the element's own.
func canonicalJSON(raw, timestamp string) []byte {
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	var element any
	err := decoder.Decode(&element)
	if object, ok := element.(map[string]any); ok && timestamp != "" {
		object["timestamp"] = json.Number(timestamp)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err == nil {
		err = encoder.Encode(element)
	}
	if err != nil {
		// Never so: the scanner accepts what encoding/json accepts. A key that
		// depends on the element's notation would still be a key.
		return []byte(minify(raw, allFlags))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Named returns the keys of the page's first and last reject that is not anonymous, "" where
// all are: nothing shows that such a page is another one, or the same again.
func (p *Page) Named() string {
	first, last := -1, -1
	for i, next := 0, 0; i < len(p.Rejects); i++ {
		if next < len(p.anonymous) && p.anonymous[next] == i {
			next++
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	if first < 0 {
		return ""
	}
	return p.Rejects[first].Key + p.Rejects[last].Key
}

// DropAnonymous removes the rejects without an identity of their own: on a page that is read again,
// nothing shows which of them are new. It returns their number.
func (p *Page) DropAnonymous() (outside int64) {
	if len(p.anonymous) == 0 {
		return 0
	}
	anonymous := map[int]bool{}
	for _, i := range p.anonymous {
		anonymous[i] = true
	}
	kept, after := p.Rejects[:0], p.RejectAfter[:0]
	for i, r := range p.Rejects {
		if !anonymous[i] {
			kept, after = append(kept, r), append(after, p.RejectAfter[i])
		}
	}
	outside = int64(len(p.Rejects) - len(kept))
	p.Rejects, p.RejectAfter, p.anonymous = kept, after, nil
	return outside
}
