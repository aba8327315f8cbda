package bucket

import (
	"fmt"
	"strings"
)

// ParseURL returns the bucket and the key of s3://BUCKET/KEY. The key has no slash at its ends, and is ""
// for the bucket itself. It fails with ErrURL.
func ParseURL(text string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(text, "s3://")
	if !ok {
		return "", "", fmt.Errorf("%w: %q does not begin with s3://", ErrURL, text)
	}
	bucket, key, _ = strings.Cut(rest, "/")
	key = strings.Trim(key, "/")
	switch {
	case !isBucket(bucket):
		return "", "", fmt.Errorf("%w: %q names no bucket: write s3://BUCKET/PREFIX", ErrURL, text)
	case key == "":
		return bucket, "", nil
	case strings.Contains("/"+key+"/", "//") || strings.Contains("/"+key+"/", "/./") || strings.Contains("/"+key+"/", "/../"):
		return "", "", fmt.Errorf("%w: %q has an empty name, . or .. between its slashes", ErrURL, text)
	case strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", "", fmt.Errorf("%w: %q has a control character", ErrURL, text)
	}
	return bucket, key, nil
}

// isBucket reports whether a bucket can have that name. Names of old buckets may have capitals and
// underscores.
func isBucket(name string) bool {
	if len(name) < 3 || len(name) > 255 {
		return false
	}
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
	return strings.Trim(name, allowed) == "" && !strings.HasPrefix(name, ".") && !strings.Contains(name, "..")
}

// Join joins the nonempty parts of a key with slashes.
func Join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = strings.Trim(p, "/"); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "/")
}
