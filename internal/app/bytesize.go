package app

import (
	"strconv"
	"strings"

	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// byteSize reads an option that is a number of bytes with a unit, as in DuckDB: MB is 10^6
// bytes, MiB 2^20.
func byteSize(c *cli.Context, name string, least int64) (int64, error) {
	text := strings.ToUpper(strings.TrimSpace(c.String(name)))
	number := strings.TrimRight(text, "BIKMGT ")
	factor := map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}[strings.TrimSpace(text[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || factor == 0 || !(n >= 0) || n*factor > 1<<50:
		return 0, usage("--%s %q is no size such as 100MB or 2GiB", name, c.String(name))
	case n*factor < float64(least):
		return 0, usage("--%s %s is less than %s bytes", name, c.String(name), term.Thousands(least))
	}
	return int64(n * factor), nil
}
