package api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// redacted is printed in place of a Secret.
const redacted = "[redacted]"

// Secret is a string that package fmt and encoders print as "[redacted]". Exceptions are the keys of
// an encoded map and unexported fields, for which package fmt does not call methods.
type Secret string

// String returns the placeholder.
func (Secret) String() string { return redacted }

// Format prints the placeholder for every verb. For an invalid one, fmt would print the value.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns the placeholder for encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// minSecretLen is the shortest secret, in bytes, to look for: a text may contain a shorter one by
// chance.
const minSecretLen = 8

// secrets holds the key and the last tokens of the feed. A server may send back what a request
// contained, as some do in an error: that must be neither printed nor stored.
type secrets struct {
	keyEncodings   []string
	lowerKey       string // the key in lower case
	mu             sync.Mutex
	tokenEncodings [2][]string // of the last two tokens
	// cookieValues returns the values of cookies, which may be stored but not printed.
	cookieValues func() []string
}

func newSecrets(key Secret) *secrets {
	return &secrets{keyEncodings: encodingsOf(string(key)), lowerKey: strings.ToLower(string(key)), cookieValues: func() []string { return nil }}
}

// add records a new token. Requests with the previous one may still be under way.
func (s *secrets) add(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokenEncodings = [2][]string{encodingsOf(token), s.tokenEncodings[0]}
}

// containedIn reports whether a text contains the key or a token.
func (s *secrets) containedIn(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = strings.ToLower(text)
	return containsAny(text, s.keyEncodings) || containsAny(text, s.tokenEncodings[0]) || containsAny(text, s.tokenEncodings[1])
}

// printable reports whether a text contains neither a secret nor a cookie.
func (s *secrets) printable(text string) bool {
	if s.containedIn(text) {
		return false
	}
	text = strings.ToLower(text)
	for _, value := range s.cookieValues() {
		if containsAny(text, encodingsOf(value)) {
			return false
		}
	}
	return true
}

func containsAny(text string, substrings []string) bool {
	return slices.ContainsFunc(substrings, func(s string) bool { return strings.Contains(text, s) })
}

// fragmentIn reports whether a text contains a fragment of the key, as some servers mask the rest.
func (s *secrets) fragmentIn(text string) bool {
	text = strings.ToLower(text)
	for i := 0; i+minSecretLen <= len(s.lowerKey); i++ {
		if strings.Contains(text, s.lowerKey[i:i+minSecretLen]) {
			return true
		}
	}
	return false
}

// redact returns err or, if its text contains a secret, an error of the same kinds without the text.
func (s *secrets) redact(endpoint string, err error) error {
	var answer *Error
	if errors.As(err, &answer) {
		answer.clearTexts(func(text string) bool {
			// The quoted form may be escaped or cut, and so contain a secret where the text does not.
			return s.printable(text) && s.printable(Quote(text)) && !s.fragmentIn(text)
		})
	}
	if err == nil || s.printable(err.Error()) {
		return err
	}
	return &redactedError{endpoint, err}
}

// redactedError is an error whose text contains a secret.
type redactedError struct {
	endpoint string
	err      error
}

func (e *redactedError) Error() string {
	return fmt.Sprintf("request the %s endpoint: its answer contains the key, the token or a cookie and is not shown", e.endpoint)
}

func (e *redactedError) Unwrap() error { return e.err }

// encodingsOf returns, in lower case, the encodings in which a text may contain a secret: as it is,
// in a URL, in hexadecimal, and in base64 with each of the three alignments.
func encodingsOf(secret string) []string {
	if len(secret) < minSecretLen {
		return nil
	}
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret))}
	for before := range 3 {
		text := append(make([]byte, before), secret...)
		// The first and the last character also encode bits of the bytes beside the secret.
		from, to := (before*8+5)/6, len(text)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(text)[from:to])
		}
	}
	for i, encoded := range all {
		all[i] = strings.ToLower(encoded)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
