package export

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"datasync/internal/owned"
)

// Somebody else may have written the manifest of a folder. So it is read in elements of bounded
// size, and it can only name files that an export would have made.
const (
	maxManifest = 256 << 20 // bytes
	// maxElement bounds each field of a manifest and each file in it, in bytes. A query, the
	// longest of them, is an argument of the program, which Linux bounds to 128 KiB.
	maxElement = 4 << 20
	// maxPath is the maximum length of a path on Linux, in bytes.
	maxPath = 4096
)

// readManifest reads a manifest in an export's folder. It fails with fs.ErrNotExist if there is
// none, and with owned.ErrUntrusted if why rejects the file.
func readManifest(folder *owned.Dir, name string, why func(fs.FileInfo, []int) string) (m manifest, err error) {
	f, err := folder.Open(name, why)
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }()
	if err := m.read(f); err != nil {
		return m, fmt.Errorf("%s is not a manifest of an export: %s", name, shorten(err)) // the error can quote a value
	}
	switch {
	case m.Version < 1:
		return m, fmt.Errorf("%s is not a manifest of an export", name)
	case m.Version > manifestVersion:
		return m, fmt.Errorf("%s is of version %d, and this program knows up to %d: update datasync", name, m.Version, manifestVersion)
	case m.Layout.Types != "" && m.Layout.Types != Portable && m.Layout.Types != Logical:
		return m, fmt.Errorf("%s says that the types are %q, which this program does not know: update datasync", name, shorten(m.Layout.Types))
	case !m.Layout.Escaping.isKnown():
		return m, fmt.Errorf("%s says that folder names are escaped by %q, which this program does not know: update datasync", name, shorten(m.Layout.Escaping))
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		if !m.mayName(f.Path) || seen[f.Path] {
			return m, fmt.Errorf("%s names the file %q, which no such export would make", name, shorten(f.Path))
		}
		seen[f.Path] = true
	}
	return m, nil
}

// read reads a manifest element by element, as a list of a million empty files takes many times
// the memory of its text.
func (m *manifest) read(r io.Reader) error {
	elements := &elementReader{r: r, left: maxElement}
	d := json.NewDecoder(elements)
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.More() {
		elements.left = maxElement
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // the decoder accepts no other type of key
		if strings.EqualFold(name, "files") {
			err = m.readFiles(d, elements)
		} else {
			err = m.readField(d, elements, name)
		}
		if err != nil {
			return err
		}
	}
	if err := expect(d, '}'); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is data after it")
	}
	return nil
}

// expect reads one token and fails unless it is that delimiter.
func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err == nil && token != want {
		err = fmt.Errorf("%s is missing", want)
	}
	return err
}

// readField reads the value of a field other than the list of files.
func (m *manifest) readField(d *json.Decoder, elements *elementReader, name string) error {
	elements.left = maxElement
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

// readFiles reads the list of files, the only long one.
func (m *manifest) readFiles(d *json.Decoder, elements *elementReader) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		elements.left = maxElement
		var f manifestFile
		if err := d.Decode(&f); err != nil {
			return err
		}
		// Without a SHA-256 an element could be so short that it takes more memory than text.
		if len(f.SHA256) != 2*sha256.Size || len(f.Path) > maxPath {
			return fmt.Errorf("the file %q has no SHA-256, or no path", shorten(f.Path))
		}
		m.Files = append(m.Files, f)
	}
	elements.left = maxElement
	return expect(d, ']')
}

var errTooLong = errors.New("it is too long")

// elementReader reads a manifest. It fails if an element or the whole is too long.
type elementReader struct {
	r    io.Reader
	left int // bytes that this element may still have
	all  int // bytes read
}

func (e *elementReader) Read(b []byte) (int, error) {
	if e.left <= 0 || e.all > maxManifest {
		return 0, errTooLong
	}
	n, err := e.r.Read(b[:min(len(b), e.left)])
	e.left, e.all = e.left-n, e.all+n
	return n, err
}

// fileName matches the names that planFolder gives to files.
var fileName = regexp.MustCompile(`^(?:events-[0-9]+-[0-9]+|rows)-[0-9]{4,}(\..*)$`)

// mayName reports whether an export with the manifest's options could have made a file of that
// path, with slashes.
func (m *manifest) mayName(path string) bool {
	names := strings.Split(path, "/")
	folders, extension := names[:len(names)-1], fileName.FindStringSubmatch(names[len(names)-1])
	if extension == nil || len(folders) != len(m.Layout.PartitionBy) || !filepath.IsLocal(path) {
		return false
	}
	for i, name := range folders {
		if !m.Layout.Escaping.couldName(name, m.Layout.PartitionBy[i]) {
			return false
		}
	}
	for _, format := range []Format{Parquet, CSV, JSONLines} {
		if format.String() == m.Format && format.extension(m.Layout.Compression) == extension[1] {
			return true
		}
	}
	return false
}
