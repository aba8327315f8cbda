package app

import (
	"datasync/internal/human"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// byteSize reads an option that is a number of bytes with a unit, as in DuckDB: MB is 10^6
// bytes, MiB 2^20.
func byteSize(c *cli.Context, name string, least int64) (int64, error) {
	n, err := human.Bytes(c.String(name))
	switch {
	case err != nil:
		return 0, usage("--%s %w", name, err)
	case n < least:
		return 0, usage("--%s %s is less than %s bytes", name, c.String(name), term.Thousands(least))
	}
	return n, nil
}
