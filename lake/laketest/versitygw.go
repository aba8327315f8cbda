package laketest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// versitygwVersion is the version to download.
const versitygwVersion = "v1.8.0"

// Versitygw starts versitygw with a bucket of that name, and returns its URL. It skips the test if the
// download fails.
func Versitygw(t testing.TB, bucket string) string {
	t.Helper()
	path := tool(t, "versitygw", "DATASYNC_VERSITYGW", func(ctx context.Context, folder string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+versitygwVersion)
		cmd.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
		return cmd
	})
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	start(t, exec.Command(path, "--port", address, "--access", AccessKey, "--secret", SecretKey, "--quiet", "posix", folder), "http://"+address)
	return "http://" + address
}
