package api

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"datasync/internal/model"
)

// renewedLife is the life of a renewed cursor.
const renewedLife = 100 * time.Second

var cursorEnd = regexp.MustCompile(`"exp"\s*:\s*(\d{1,18})\s*[,}]`)

// RenewCursor returns the cursor with a later expiry. Cursors are opaque: this works only as long as they are
// Base64 of JSON with a member exp, in whole milliseconds since 1970, and not signed.
func RenewCursor(cursor string, now time.Time) (string, bool) {
	return rewriteCursor(cursor, func(text string) (string, bool) {
		return replaceNumber(text, cursorEnd, now.Add(renewedLife).UnixMilli())
	})
}

// rewriteCursor returns the cursor with its text changed.
func rewriteCursor(cursor string, change func(text string) (string, bool)) (string, bool) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		text, err := encoding.DecodeString(cursor)
		if err != nil {
			continue
		}
		changed, ok := change(string(text))
		return encoding.EncodeToString([]byte(changed)), ok
	}
	return "", false
}

// replaceNumber replaces the number in the first match of member.
func replaceNumber(text string, member *regexp.Regexp, n int64) (string, bool) {
	at := member.FindStringSubmatchIndex(text)
	if at == nil {
		return "", false
	}
	return text[:at[2]] + strconv.FormatInt(n, 10) + text[at[3]:], true
}

var cursorInstant = regexp.MustCompile(`"ts"\s*:\s*(\d{1,18})\s*[,}]`)

// CursorBelow returns a cursor for the events below a millisecond, made from another one, with a later expiry. It
// works if RenewCursor does and cursors have a member ts.
func CursorBelow(cursor string, ms int64, now time.Time) (string, bool) {
	return rewriteCursor(cursor, func(text string) (string, bool) {
		text, ok := replaceNumber(text, cursorInstant, ms)
		if !ok {
			return "", false
		}
		return replaceNumber(text, cursorEnd, now.Add(renewedLife).UnixMilli())
	})
}

// counter finds members by which a cursor counts, whatever else it names.
var counter = regexp.MustCompile(`(?i)\b(offset|skip|page|index|start|from|pos|position|row|n)"?\s*[:=]\s*"?(\d{1,9})\b`)

// digitRuns finds the numbers in a text.
var digitRuns = regexp.MustCompile(`\d+`)

// CursorNamesEvent reports whether a cursor names the event or its time. Then it leads to the events after that
// one, whatever the API deletes. Any other cursor may count from the newest event.
func CursorNamesEvent(cursor string, last model.Position) bool {
	id, ms := last.ID.String(), int64(last.Timestamp)/1000
	at := last.Timestamp.Time()
	numbersOf := []string{strconv.FormatInt(ms, 10), strconv.FormatInt(int64(last.Timestamp), 10), strconv.FormatInt(ms/1000, 10)}
	for _, text := range spelledOut(cursor) {
		if counter.MatchString(text) {
			return false
		}
		text = strings.ToLower(text)
		if strings.Contains(text, id) || strings.Contains(text, strings.ReplaceAll(id, "-", "")) ||
			strings.Contains(text, strings.ToLower(at.Format("2006-01-02T15:04:05"))) || strings.Contains(text, at.Format(time.DateTime)) {
			return true
		}
		for _, digits := range digitRuns.FindAllString(text, -1) {
			for _, n := range numbersOf {
				if digits == n {
					return true
				}
			}
		}
	}
	return false
}

// spelledOut returns the cursor and the texts that it may encode.
func spelledOut(cursor string) []string {
	texts := []string{cursor}
	if text, err := url.QueryUnescape(cursor); err == nil && text != cursor {
		texts = append(texts, text)
	}
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ".") { // as in signed tokens
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				if decoded, err := encoding.DecodeString(strings.TrimRight(part, "=")); err == nil {
					texts = append(texts, string(decoded))
				}
			}
		}
		if decoded, err := hex.DecodeString(text); err == nil {
			texts = append(texts, string(decoded))
		}
	}
	return texts
}
