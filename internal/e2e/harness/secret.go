package harness

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Spellings are the forms in which a secret could be written: plain, as in a URL, in lower case,
// in hexadecimal, and in base64 whatever precedes it.
func Spellings(secret string) (forms [][]byte) {
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	for _, form := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(secret), hex.EncodeToString([]byte(secret)),
		encoded[:len(secret)], base64.URLEncoding.EncodeToString([]byte(secret))[:len(secret)],
	} {
		forms = append(forms, []byte(form))
	}
	// The number of bytes before the secret, modulo 3, decides how base64 writes it. The last
	// characters depend on what follows it.
	for skip := range min(3, len(secret)) {
		encoded := base64.StdEncoding.EncodeToString([]byte(secret)[skip:])
		forms = append(forms, []byte(encoded[:max(0, len(encoded)-4)]))
	}
	return forms
}

// FindSecret returns the first spelling of a secret in a text, and the text around it. Spellings
// of less than 8 bytes could be there by chance and are not looked for.
func FindSecret(text []byte, secrets ...string) (spelling, around string, found bool) {
	for _, secret := range secrets {
		for _, form := range Spellings(secret) {
			if len(form) < 8 {
				continue
			}
			if at := bytes.Index(text, form); at >= 0 {
				return string(form), string(text[max(0, at-80):min(len(text), at+220)]), true
			}
		}
	}
	return "", "", false
}

// NoSecret fails the test where one of the secrets is in one of the texts or in a file of the
// folders.
func NoSecret(tb testing.TB, secrets []string, texts map[string][]byte, folders ...string) {
	tb.Helper()
	for where, text := range texts {
		if spelling, around, found := FindSecret(text, secrets...); found {
			tb.Errorf("%q is in %s: %q", spelling, where, around)
		}
	}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if spelling, around, found := FindSecret(text, secrets...); found {
				tb.Errorf("%q is in %s: %q", spelling, path, around)
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// OnlyDatabase fails the test if a pull left more in its folder than the database, or if other
// users can read that. It also fails if [Key] is in it or in the output.
func OnlyDatabase(tb testing.TB, folder string, output []byte) {
	tb.Helper()
	NoSecret(tb, []string{Key}, map[string][]byte{"the output": output}, folder)
	files, err := os.ReadDir(folder)
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			tb.Errorf("%s can be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if len(files) != 1 {
		tb.Errorf("left are %v, want the database alone", files)
	}
}
