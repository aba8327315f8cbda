// Package model_test plays histories of pulls, kills, growth and failures with the store and the
// mock server in one process, against a model: the set of ids that the API has.
package model_test

import (
	"testing"

	"datasync/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
