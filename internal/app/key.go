package app

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"log"
	"os"
	"regexp"
	"strings"
	"syscall"
	"unicode/utf16"
	"unicode/utf8"

	"datasync/ingest/api"
	"datasync/internal/human"
	"datasync/internal/term"
)

// maxKey is the length in bytes from which on a text is not a key.
const maxKey = 4096

// keyLike matches a name that may be a key in the place of its file's name.
var keyLike = regexp.MustCompile(`^[A-Za-z]+_[A-Za-z0-9_-]{8,}$|^[A-Za-z0-9_=+-]{24,}$`)

// withoutPath returns the reason of an error about a file whose name the message has already.
func withoutPath(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// readKey reads the API key from a file, from stdin if that is "-", or from the environment if
// it is "". A key is never an argument: ps shows those.
func readKey(t term.IO, file string) (api.Secret, error) {
	text, from := t.Getenv("DATASYNC_API_KEY"), "DATASYNC_API_KEY"
	var err error
	switch file {
	case "":
	case "-":
		text, err = readText(t.Stdin)
		from = "stdin"
	default:
		from = file
		var f *os.File
		if f, err = os.Open(file); err == nil {
			defer func() { _ = f.Close() }()
			if text, err = readText(f); text != "" {
				warnOfReaders(t, f)
			}
		}
	}
	text = strings.TrimSpace(decodeText(text))
	switch {
	case err != nil && keyLike.MatchString(file):
		return "", usage("read the API key: %w; --api-key-file takes the name of a file, not the key", withoutPath(err))
	case err != nil && file != "" && file != "-":
		return "", usage("read the API key: --api-key-file %s: %w; name a file, or set DATASYNC_API_KEY", human.Shown(file), withoutPath(err))
	case err != nil:
		return "", usage("read the API key: %w", err)
	case text == "" && file != "":
		return "", usage("no API key in %s", from)
	case text == "":
		return "", usage("no API key: set DATASYNC_API_KEY or give --api-key-file FILE")
	case len(text) >= maxKey:
		return "", usage("the API key from %s is too long for a key", from)
	case strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~+/=") != "":
		return "", usage("the API key from %s contains a character that keys do not have", from)
	}
	return api.Secret(text), nil
}

// decodeText removes a byte order mark, which some editors and shells of Windows write, and
// decodes UTF-16 if the mark says so.
func decodeText(text string) string {
	order := binary.ByteOrder(nil)
	switch {
	case strings.HasPrefix(text, "\xff\xfe"):
		order = binary.LittleEndian
	case strings.HasPrefix(text, "\xfe\xff"):
		order = binary.BigEndian
	default:
		return strings.TrimPrefix(text, "\ufeff")
	}
	text = text[2:]
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = order.Uint16([]byte(text[2*i : 2*i+2]))
	}
	decoded := string(utf16.Decode(units))
	if len(text)%2 != 0 {
		decoded += string(utf8.RuneError) // half a character; keys do not have this one
	}
	return decoded
}

// protectKey keeps the key within this process. It forbids core files, and discards the log:
// package net/http logs what a server sends without a request.
func protectKey() {
	log.SetOutput(io.Discard)
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

func readText(r io.Reader) (string, error) {
	// UTF-16 has twice as many bytes, and a mark.
	b, err := io.ReadAll(io.LimitReader(r, 2*maxKey+2))
	return string(b), err
}

// warnOfReaders warns if other users can read the file of the key.
func warnOfReaders(t term.IO, f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		t.SayWarning("other users can read the key: chmod 600 " + f.Name())
	}
}
