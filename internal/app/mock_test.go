package app_test

import (
	"net"
	"strings"
	"testing"
)

// TestMockPortInUse: the error about a port in use names the option that chooses another one.
func TestMockPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	code, text := run("mock", "--addr", l.Addr().String())
	if code != 1 || !strings.HasSuffix(text, "address already in use; --addr HOST:PORT chooses another address\n") {
		t.Errorf("exit %d, %q", code, text)
	}
}
