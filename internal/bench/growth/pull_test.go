package growth

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestPullIsTheProgramsOwn fails where the program has come to pull with other settings
// than the watched pull.
func TestPullIsTheProgramsOwn(t *testing.T) {
	text, err := os.ReadFile("../../app/pull.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MemoryLimit: store.PullMemoryLimit", fmt.Sprintf("SetGCPercent(%d)", gcPercent)} {
		if !strings.Contains(string(text), want) {
			t.Errorf("internal/app/pull.go has no %s: see what it has, and let Pull do the same", want)
		}
	}
}
