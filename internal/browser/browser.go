package browser

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// Names of environment variables that run.sh sets.
const (
	// Required makes a missing Chromium or axe-core a failure and not a reason to skip.
	Required = "BROWSER_REQUIRED"
	// AxeFile is the path of axe.min.js, and NuFile that of vnu.jar.
	AxeFile = "BROWSER_AXE"
	NuFile  = "BROWSER_NU"
)

// axeSum is the SHA-256 of axe.min.js in axe-core 4.14.1, the version of package-lock.json.
const axeSum = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

// Browser is a running Chromium. It has an empty profile, and resolves no name but localhost.
type Browser struct {
	ctx context.Context
	axe string // JavaScript
}

// Start starts Chromium, and stops it when the test ends. Options come after those of the package, so
// they win. Start skips the test where Chromium or axe-core are not installed; with [Required] set, it
// fails.
func Start(t testing.TB, options ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	missing := t.Skipf
	if os.Getenv(Required) != "" {
		missing = t.Fatalf
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		missing("no chromium (apt-get install chromium; internal/browser/run.sh installs it): %v", err)
	}
	axe, err := os.ReadFile(fetched(t, AxeFile, "axe.min.js", axeSum))
	if err != nil {
		missing("no axe-core (internal/browser/run.sh fetches it): %v", err)
	}
	all := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en-GB"),
	)
	if os.Getuid() == 0 {
		all = append(all, chromedp.NoSandbox) // Chromium refuses to start as root with it
	}
	var said bytes.Buffer
	all = append(append(all, chromedp.CombinedOutput(&said)), options...)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), all...)
	ctx, stop := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		stop()
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &said)
	}
	return &Browser{ctx: ctx, axe: string(axe)}
}

// fetched is where run.sh puts a file from npm, so that go test alone finds it, too. A file with another SHA-256 fails
// the test.
func fetched(t testing.TB, variable, name, sum string) (path string) {
	t.Helper()
	if path = os.Getenv(variable); path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			cache = os.TempDir()
		}
		path = filepath.Join(cache, "datasync-browser", sum[:12], name)
	}
	b, err := os.ReadFile(path)
	if got := sha256.Sum256(b); err == nil && hex.EncodeToString(got[:]) != sum {
		t.Fatalf("%s has the SHA-256 %x, not %s; remove it", path, got, sum)
	}
	return path
}

// FileURL returns the URL of a file.
func FileURL(t testing.TB, name string) string {
	t.Helper()
	whole, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return "file://" + whole
}
