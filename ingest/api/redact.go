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

// redacted is what is printed of a Secret.
const redacted = "[redacted]"

// Secret is a string that is not printed, but for the names of an encoded map and for fields
// that are not exported, to which package fmt does not give their methods.
type Secret string

func (Secret) String() string { return redacted }

// Format is String for whatever verb, also one that fmt would complain about, with the value.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText is String for encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// leastSecret is how many bytes a secret has at least: anything shorter may stand in a text
// by chance.
const leastSecret = 8

// secrets are the key and the feed's last tokens. A server that sends back what it was sent,
// as some do in an error, must not have them printed or stored.
type secrets struct {
	key    []string // its spellings
	own    string   // the key itself, in small letters
	mu     sync.Mutex
	tokens [2][]string
	// untold returns what may be stored but not be printed either: the values of cookies.
	untold func() []string
}

func newSecrets(key Secret) *secrets {
	return &secrets{key: spellings(string(key)), own: strings.ToLower(string(key)), untold: func() []string { return nil }}
}

// add takes in a new token; the one before it may still be on its way.
func (s *secrets) add(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = [2][]string{spellings(token), s.tokens[0]}
}

// in reports whether a text has one of them in it.
func (s *secrets) in(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = strings.ToLower(text)
	for _, known := range [][]string{s.key, s.tokens[0], s.tokens[1]} {
		if slices.ContainsFunc(known, func(spelling string) bool { return strings.Contains(text, spelling) }) {
			return true
		}
	}
	return false
}

// printable reports whether a text has nothing in it that must not be printed.
func (s *secrets) printable(text string) bool {
	if s.in(text) {
		return false
	}
	text = strings.ToLower(text)
	for _, value := range s.untold() {
		if slices.ContainsFunc(spellings(value), func(spelling string) bool { return strings.Contains(text, spelling) }) {
			return false
		}
	}
	return true
}

// hasPart reports whether a text has a part of the key in it, as one that masks the rest.
func (s *secrets) hasPart(text string) bool {
	text = strings.ToLower(text)
	for i := 0; i+leastSecret <= len(s.own); i++ {
		if strings.Contains(text, s.own[i:i+leastSecret]) {
			return true
		}
	}
	return false
}

// hide returns err, or, where its text has a secret in it, an error of the same kinds that says so.
func (s *secrets) hide(endpoint string, err error) error {
	var answer *APIError
	if errors.As(err, &answer) {
		for _, words := range []*string{&answer.Code, &answer.Message, &answer.Hint} {
			// What is shown of it may be written differently, or be a part.
			if !s.printable(*words) || !s.printable(Quote(*words)) || s.hasPart(*words) {
				*words = ""
			}
		}
	}
	if err == nil || s.printable(err.Error()) {
		return err
	}
	return &hiddenError{endpoint, err}
}

// hiddenError is an error that is not told in its own words.
type hiddenError struct {
	endpoint string
	err      error
}

func (e *hiddenError) Error() string {
	return fmt.Sprintf("ask the %s endpoint: what it sent has the key, the token or a cookie in it, and is not shown", e.endpoint)
}

func (e *hiddenError) Unwrap() error { return e.err }

// spellings returns, in lower case, how a secret may stand in a text: as it is, in a URL, in
// hexadecimal, and in base64, where that begins at each of three bytes.
func spellings(secret string) []string {
	if len(secret) < leastSecret {
		return nil
	}
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret))}
	for before := range 3 {
		text := append(make([]byte, before), secret...)
		// The first and the last character may have bits of what stands beside it.
		from, to := (before*8+5)/6, len(text)*8/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			all = append(all, encoding.EncodeToString(text)[from:to])
		}
	}
	for i, spelling := range all {
		all[i] = strings.ToLower(spelling)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
