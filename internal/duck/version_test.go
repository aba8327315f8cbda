package duck_test

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"datasync/internal/duck"
)

// TestTimeZones: the release is that in the data of ICU, which is linked into this test. ICU keeps
// its name there in UTF-16.
func TestTimeZones(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`2\x000\x00[0-9]\x00[0-9]\x00[a-z]\x00`).FindAll(program, -1) {
		found[string(bytes.ReplaceAll(m, []byte{0}, nil))] = true
	}
	if !found[duck.TimeZones] || len(found) != 1 {
		t.Errorf("%v are in the program, not %s alone", found, duck.TimeZones)
	}
}

func TestVersion(t *testing.T) {
	if v := duck.Version(); !regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+`).MatchString(v) {
		t.Error(v)
	}
}
