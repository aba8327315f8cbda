package app

import (
	"strconv"

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
		return 0, usage("--%s %s is less than %s bytes; write %s", name, typed(c, name), term.Thousands(least), sizeExample(least))
	}
	return n, nil
}

// sizeExample returns a round size that is not less than least.
func sizeExample(least int64) string {
	if least <= 1000 {
		return "1KB"
	}
	return strconv.FormatInt((least+999_999)/1_000_000, 10) + "MB"
}
