package api

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// maxFeedPath is the longest accepted path of the feed, in bytes.
const maxFeedPath = 2048

// checkFeedPath returns an error unless the path that the API names for its feed is a path on the
// API's own origin by any reading: it comes from a server, and requests to it carry the key.
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
			return errors.New("it contains a character that is invalid in a path")
		}
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return errors.New("its percent-encoding is broken")
	}
	if strings.ContainsFunc(decoded, unicode.IsControl) || strings.Contains(decoded, `\`) {
		return errors.New("it encodes a character that is invalid in a path")
	}
	lower := strings.ToLower(path)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%25") || strings.Contains(decoded, "//") {
		return errors.New("it encodes a slash or a percent sign")
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == ".." || segment == "." {
			return errors.New("it has a dot segment")
		}
	}
	return nil
}
