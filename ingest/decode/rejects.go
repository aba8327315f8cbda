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

// maxCanonical is the largest element, in bytes, that is put into canonical form for its key. That takes many
// times the element's memory. A larger one, which is hardly a malformed event, only loses its white
// space.
const maxCanonical = 1 << 20

// rejectKeys counts the rejects of a page by their hash. So equal rejects get different keys, and the same
// keys at another reading of the page.
type rejectKeys map[[sha256.Size]byte]int

// maxRejectText is how many bytes of a reject's text are kept. Of a larger one, truncatedLen bytes are
// kept, enough to recognise it.
const (
	maxRejectText = maxElement
	truncatedLen  = 64 << 10
)

// reject makes a reject of the last scanned element, from start to end. For a malformed one it uses the
// members that were scanned before the failure.
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
		// Another form may have another meaning, or takes too much memory.
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

// keptText returns the text to keep of an element: all of it, with invalid UTF-8 made visible, or, beyond
// maxRejectText, its beginning and a last line with the size and digest of the element.
func keptText(raw string) string {
	if len(raw) <= maxRejectText && utf8.ValidString(raw) {
		return raw
	}
	if len(raw) <= maxRejectText && len(raw)+3*invalidBytes(raw) <= maxRejectText {
		return visibleBytes(raw)
	}
	return cutText(raw[:truncatedLen], int64(len(raw)), sha256.Sum256(bytesOf(raw)))
}

// cutText returns the text to keep of a large element: its beginning without a partial character, its size
// and its digest.
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

// invalidBytes counts the bytes of invalid UTF-8.
func invalidBytes(text string) (n int) {
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
			n++
		}
	}
	return n
}

// bytesOf returns the bytes of a text without copying them. They are read-only.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

// anonymous reports whether the last element, from start to end and rejected for the reason, has no id,
// timestamp, session or name: many equal ones may occur. A malformed one has them if their names are
// in its text.
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

// AnonymousCounter counts the anonymous rejects since the last event, by their hash.
type AnonymousCounter struct {
	after  uuid.NullUUID
	Counts map[string]int
}

// since restarts the count, unless the event is still the last one.
func (a *AnonymousCounter) since(event uuid.NullUUID) {
	if a.Counts == nil || a.after != event {
		*a = AnonymousCounter{event, map[string]int{}}
	}
}

// NameAnonymous gives each anonymous reject a key by its place: the event before it, if known, and its
// number among equal rejects since that event. Before is the last event of the previous page; a has
// the counts since then, and continues with those of this page.
func (p *Page) NameAnonymous(before uuid.NullUUID, a *AnonymousCounter) {
	a.since(before)
	events := 0
	advance := func(n int) {
		if n > events {
			events = n
			*a = AnonymousCounter{uuid.NullUUID{UUID: p.Events[n-1].ID, Valid: true}, map[string]int{}}
		}
	}
	for _, i := range p.anonymous {
		advance(p.RejectAfter[i])
		hash, _, _ := strings.Cut(p.Rejects[i].Key, "#")
		place := hash
		if a.after.Valid {
			place += "@" + a.after.UUID.String()
		}
		p.Rejects[i].Key = place + "#" + strconv.Itoa(a.Counts[hash])
		a.Counts[hash]++
	}
	advance(len(p.Events))
}

// next returns the key of the next reject with this canonical form.
func (k rejectKeys) next(canonical []byte) string { return k.nextOf(sha256.Sum256(canonical)) }

// nextOf returns the key of the next reject with this hash.
func (k rejectKeys) nextOf(hash [sha256.Size]byte) string {
	n := k[hash]
	k[hash]++
	return "sha256:" + hex.EncodeToString(hash[:]) + "#" + strconv.Itoa(n)
}

// canonicalTimestamp returns the timestamp of the last element in microseconds, since the API writes it in
// two formats; "" if it is unreadable.
func (n *normalizer) canonicalTimestamp() string {
	t, read := n.timestamp()
	if read != readable {
		return ""
	}
	return strconv.FormatInt(int64(t), 10)
}

// canonicalJSON returns one form for all texts of an equal element: members sorted by name at every level,
// the last one of duplicates, strings in one notation, numbers as they are, no white space. A timestamp
// replaces the element's own, unless it is "".
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
		// This cannot happen, since the scanner accepts what encoding/json accepts. A key that
		// depends on the notation is still a key.
		return []byte(minify(raw, allFlags))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Named returns the keys of the page's first and last reject that is not anonymous. If it is "", nothing
// shows whether another page is the same one.
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

// DropAnonymous removes the anonymous rejects and returns how many. On a page that is read again, nothing
// shows which of them are new.
func (p *Page) DropAnonymous() (dropped int64) {
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
	dropped = int64(len(p.Rejects) - len(kept))
	p.Rejects, p.RejectAfter, p.anonymous = kept, after, nil
	return dropped
}
