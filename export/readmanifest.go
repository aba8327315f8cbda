package export

import (
	"crypto/sha256"
	"datasync/internal/owned"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// readManifest reads a manifest in an export's folder. Where there is none it fails with
// fs.ErrNotExist, and with owned.ErrNot where why says something against the file.
func readManifest(folder *owned.Dir, name string, why func(fs.FileInfo, []int) string) (m manifest, err error) {
	f, err := folder.Open(name, why)
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }()
	if err := m.read(f); err != nil {
		return m, fmt.Errorf("%s is no manifest of an export: %s", name, brief(err)) // which may name a value
	}
	switch {
	case m.Version < 1:
		return m, fmt.Errorf("%s is no manifest of an export", name)
	case m.Version > manifestVersion:
		return m, fmt.Errorf("%s is of version %d, and this program knows up to %d: update datasync", name, m.Version, manifestVersion)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !m.mayName(f.Path) || seen[f.Path] {
			return m, fmt.Errorf("%s names the file %q, which no such export would make", name, brief(f.Path))
		}
		seen[f.Path] = true
	}
	return m, nil
}

// read reads a manifest in pieces: anybody may have written it, and a list of a million empty
// entries takes many times the memory of its text.
func (m *manifest) read(r io.Reader) error {
	pieces := &pieceReader{r: r, left: maxPiece}
	d := json.NewDecoder(pieces)
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.More() {
		pieces.left = maxPiece
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // which it is: d takes no other key
		if strings.EqualFold(name, "files") {
			err = m.readFiles(d, pieces)
		} else {
			err = m.readField(d, pieces, name)
		}
		if err != nil {
			return err
		}
	}
	if err := expect(d, '}'); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

// expect reads a token, which must be that delimiter.
func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err == nil && token != want {
		err = fmt.Errorf("there is no %s where one should be", want)
	}
	return err
}

// readField reads the value of a field that is not the list of files.
func (m *manifest) readField(d *json.Decoder, pieces *pieceReader, name string) error {
	pieces.left = maxPiece
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return err
	}
	field, err := json.Marshal(map[string]json.RawMessage{name: value})
	if err != nil {
		return err
	}
	return json.Unmarshal(field, m)
}

// readFiles reads the list of files, which is all that may be long.
func (m *manifest) readFiles(d *json.Decoder, pieces *pieceReader) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		pieces.left = maxPiece
		var f file
		if err := d.Decode(&f); err != nil {
			return err
		}
		// So each takes more bytes in the file than in memory, and a path can be one.
		if len(f.SHA256) != 2*sha256.Size || len(f.Path) > maxPath {
			return fmt.Errorf("the file %q has no SHA-256, or no path", brief(f.Path))
		}
		m.Files = append(m.Files, f)
	}
	pieces.left = maxPiece
	return expect(d, ']')
}

const (
	// maxPiece is how many bytes each field of a manifest and each file in it may have. A
	// query, the longest of them, is an argument of the program, which Linux ends at 128 KiB.
	maxPiece = 4 << 20
	// maxPath is how long a path on Linux may be, in bytes.
	maxPath = 4096
)

// pieceReader reads a manifest, and fails where one piece or all of it is too long.
type pieceReader struct {
	r    io.Reader
	left int // of this piece
	all  int // that were read
}

var errTooLong = errors.New("it is too long")

func (p *pieceReader) Read(b []byte) (int, error) {
	if p.left <= 0 || p.all > maxManifest {
		return 0, errTooLong
	}
	n, err := p.r.Read(b[:min(len(b), p.left)])
	p.left, p.all = p.left-n, p.all+n
	return n, err
}

// brief is the beginning of what a manifest says, for a message.
func brief(value any) string {
	const most = 200 // bytes
	s := fmt.Sprint(value)
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// fileName is what a file of an export to a folder is called, and folderName what the folders
// of a key are, after what pieces and hivePath make.
var (
	fileName   = regexp.MustCompile(`^(?:events-[0-9]+-[0-9]+|rows)-[0-9]{4,}(\..*)$`)
	folderName = regexp.MustCompile(`^([0-9A-Za-z._%-]+)=[0-9A-Za-z._%-]*$`)
)
