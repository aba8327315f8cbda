// Package cli_test runs the program as a user does: the commands that the documents show,
// scripts, the shell on a terminal, and commands beside a running pull.
package cli_test

import (
	"testing"

	"datasync/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
