package app

import (
	"encoding/binary"
	"io"
	"log"
	"os"
	"strings"
	"syscall"
	"unicode/utf16"
	"unicode/utf8"

	"datasync/ingest/api"
)

// maxKey is how many bytes a key may have.
const maxKey = 4096

// key reads the API key, which never stands in an argument: ps shows those.
func (p *program) key(file string) (api.Secret, error) {
	text, from := p.getenv("DATASYNC_API_KEY"), "DATASYNC_API_KEY"
	var err error
	switch file {
	case "":
	case "-":
		text, err = readKey(p.stdin)
		from = "stdin"
	default:
		from = file
		var f *os.File
		if f, err = os.Open(file); err == nil {
			defer func() { _ = f.Close() }()
			if text, err = readKey(f); text != "" {
				p.warnOfReaders(f)
			}
		}
	}
	text = strings.TrimSpace(withoutMark(text))
	switch {
	case err != nil:
		return "", usage("read the API key: %v", err)
	case text == "" && file != "":
		return "", usage("no API key in %s", from)
	case text == "":
		return "", usage("no API key: set DATASYNC_API_KEY or give --api-key-file FILE")
	case len(text) >= maxKey:
		return "", usage("the API key from %s is longer than any key", from)
	case strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~+/=") != "":
		return "", usage("the API key from %s has a character that no key has", from)
	}
	return api.Secret(text), nil
}

// withoutMark takes off the byte order mark that some editors and shells of Windows begin a
// text with. One of UTF-16 says that the text is to be decoded; it has no other sense here.
func withoutMark(text string) string {
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
		decoded += string(utf8.RuneError) // half a character, which no key has
	}
	return decoded
}

// keepIn keeps a key within this process: no core file has it, and package net/http, which
// logs what a server sends unasked, has nowhere to.
func keepIn() {
	log.SetOutput(io.Discard)
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

func readKey(r io.Reader) (string, error) {
	// With a mark and in UTF-16 it takes more bytes than it has.
	b, err := io.ReadAll(io.LimitReader(r, 2*maxKey+2))
	return string(b), err
}

// warnOfReaders says that others may read the file of a key.
func (p *program) warnOfReaders(f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		p.say("others may read the key: chmod 600 " + f.Name())
	}
}
