package browser

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// nuSum is the SHA-256 of vnu.jar in vnu-jar 26.9.27, the version of package-lock.json.
const nuSum = "22f15dd39a33bed929d2a5c0cddf5946849a647eca9272bf4d5d00bc7e7a4d47"

// Valid fails the test for each error and each warning of the Nu checker about HTML documents. It skips the test where
// there is no Java.
func Valid(t *testing.T, files ...string) {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skipf("no Java for the Nu checker of HTML (apt-get install default-jre-headless): %v", err)
	}
	jar := fetched(t, NuFile, "vnu.jar", nuSum)
	if _, err := os.Stat(jar); err != nil {
		if os.Getenv(Required) != "" {
			t.Fatal(err)
		}
		t.Skipf("no Nu checker (internal/browser/run.sh fetches it): %v", err)
	}
	out, err := exec.CommandContext(t.Context(), java, append([]string{"-jar", jar, "--stdout", "--exit-zero-always"}, files...)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", jar, err)
	}
	for line := range strings.Lines(string(bytes.TrimSpace(out))) {
		t.Error(strings.TrimSpace(line))
	}
}
