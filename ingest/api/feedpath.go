package api

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// maxFeedPath is how long, in bytes, the feed's path may be.
const maxFeedPath = 2048

// checkFeedPath accepts a path that the API named for its feed only where it
// cannot mean anything but a path on the API's own origin: it comes from a
// server, and the key goes where it leads.
func checkFeedPath(path string) error {
	switch {
	case path == "":
		return errors.New("it is empty")
	case len(path) > maxFeedPath:
		return errors.New("it is longer than 2 KiB")
	case path[0] != '/' || strings.HasPrefix(path, "//"):
		return errors.New("it is not a path on the API's own origin")
	}
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`\@?#"<>`, c) >= 0 {
			return errors.New("it has a character that a path cannot have")
		}
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return errors.New("its percent-encoding is broken")
	}
	if strings.ContainsFunc(decoded, unicode.IsControl) || strings.Contains(decoded, `\`) {
		return errors.New("it hides a character that a path cannot have")
	}
	lower := strings.ToLower(path)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%25") || strings.Contains(decoded, "//") {
		return errors.New("it hides a slash or a percent sign")
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == ".." || segment == "." {
			return errors.New("it climbs")
		}
	}
	return nil
}
