package app

import (
	"datasync/internal/human"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// lakeExport is the command line of export --iceberg.
type lakeExport struct {
	io       term.IO
	database string
	target   lakeTarget
	quiet    bool
	json     bool
	dryRun   bool
	replace  bool
	sweep    bool
	memory   int64 // 0 for the default of datasync-lake
}

// lakeOnly are the options of export that require --iceberg.
var lakeOnly = []string{"catalog", "dry-run", "replace", "sweep", "json"}

// notForLake are the options of export that --iceberg excludes, and the remedies.
var notForLake = []struct{ option, instead string }{
	{"incremental", "an Iceberg table always gets only new rows; omit it"},
	{"force", "use --replace, which overwrites what the table has of this file's API"},
	{"query", "an Iceberg table gets all events; select them when it is read"},
	{"where", "an Iceberg table gets all events; select them when it is read"},
	{"since", "an Iceberg table gets all events; select them when it is read"},
	{"until", "an Iceberg table gets all events; select them when it is read"},
	{"timezone", "days of an Iceberg table are in UTC; omit it"},
	{"types", "use --uuid string or --uuid uuid"},
	{"file-size", "the files of an Iceberg table have the size that its readers want; omit it"},
	{"compression", "the files of an Iceberg table are compressed by zstd; omit it"},
	{"row-group-size", "the files of an Iceberg table have the row groups that its readers want; omit it"},
	{"csv-safe", "an Iceberg table has no CSV; omit it"},
	{"excel", "an Iceberg table has no CSV; omit it"},
	{"delimiter", "an Iceberg table has no CSV; omit it"},
}

// readLakeExport reads the command line of export --iceberg.
func readLakeExport(t term.IO, c *cli.Context) (*lakeExport, error) {
	for _, name := range []string{"parquet", "csv", "jsonl"} {
		if c.IsSet(name) {
			return nil, usage("export writes one target at a time: give one of --iceberg and --%s", name)
		}
	}
	for _, wrong := range notForLake {
		if c.IsSet(wrong.option) {
			return nil, usage("--%s is not for --iceberg: %s", withValue(c, wrong.option), wrong.instead)
		}
	}
	if c.Args().Present() {
		return nil, usage("export takes no argument, but got %s; omit it", human.Shown(c.Args().First()))
	}
	x := &lakeExport{io: t, database: c.String("db"), quiet: c.Bool("quiet"), json: c.Bool("json"), dryRun: c.Bool("dry-run"), replace: c.Bool("replace"), sweep: c.Bool("sweep")}
	switch {
	case x.sweep && x.dryRun:
		return nil, usage("--sweep contradicts --dry-run: it removes files, and nothing is exported; omit one of them")
	case x.sweep && x.replace:
		return nil, usage("--sweep contradicts --replace: it only removes files of killed exports; omit one of them")
	}
	var err error
	if x.target, err = readLakeTarget(c); err != nil {
		return nil, err
	}
	if c.IsSet("uuid") {
		if x.target.table.UUID, err = choice(c, "uuid", []string{"string", "uuid"}); err != nil {
			return nil, err
		}
	}
	if c.IsSet("partition-by") {
		if x.target.table.PartitionBy, err = choice(c, "partition-by", []string{"day", "none"}); err != nil {
			return nil, err
		}
	}
	if c.IsSet("memory-limit") {
		x.memory, err = byteSize(c, "memory-limit", minMemory)
	}
	return x, err
}

// withoutLake refuses the options for an Iceberg table without --iceberg.
func withoutLake(c *cli.Context) error {
	for _, name := range lakeOnly {
		if c.IsSet(name) {
			return usage("--%s is for --iceberg: give --iceberg NAMESPACE.TABLE, or omit it", name)
		}
	}
	return nil
}
