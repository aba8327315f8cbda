package app

// helpParts are the headings of the overview, in their order.
var helpParts = []string{"Get", "Use", "Prove", "More"}

// tryIt shows a newcomer the first commands.
const tryIt = `datasync pull --demo, then datasync report --open`

// helpPage is the help of a command, except for its options.
type helpPage struct {
	command  string
	part     string // of the overview
	examples []helpExample
	groups   []helpGroup
}

// helpExample is a command line and what it is for.
type helpExample struct{ command, about string }

// helpGroup is a heading with the names of its options.
type helpGroup struct{ title, options string }

// helpPages returns the pages of all commands.
func helpPages() []helpPage {
	file := helpGroup{"File", "db"}
	output := helpGroup{"Output", "json quiet verbose color no-pager"}
	return []helpPage{
		{"pull", "Get", []helpExample{
			{"datasync pull --demo", "300,000 events, no key needed"},
			{"datasync pull", "New events; resumes a stopped pull"},
			{"datasync pull --from 30d", "First pull: the last 30 days"},
			{"datasync pull --dry-run", "How long it would take"},
			{"datasync pull --serve --open", "Watch it in the browser"},
			{"timeout 10m datasync pull -q", "In cron; the next run resumes"},
		}, []helpGroup{
			{"API", "base-url api-key-file demo demo-events demo-shape"},
			{"Events", "from lookback restart"},
			{"Waits and retries", "max-wait max-retry-time forget-waits wait"},
			{"Speed", "workers page-size renew-cursors"},
			{"Page", "serve open addr url-file timezone"},
			file,
			{"Output", "dry-run json quiet verbose progress color"},
		}},
		{"query", "Use", []helpExample{
			{`datasync query "FROM events LIMIT 10"`, "Ten events"},
			{"datasync query", "A shell; Ctrl-D leaves"},
			{"datasync query --named list", "The named queries"},
			{"datasync query --named sessions --param since=7d", "One of them"},
			{"datasync query --named sessions --print --dialect spark", "Its SQL for Spark"},
			{`datasync query -o pages.csv "SELECT ..."`, "To a file"},
		}, []helpGroup{
			{"SQL", "file named param timezone timeout"},
			{"SQL for other engines", "print dialect table"},
			{"Result", "format output force max-rows csv-safe null-columns"},
			file,
			{"Output", "timing quiet verbose color no-pager"},
		}},
		{"export", "Use", []helpExample{
			{"datasync export --parquet events.parquet", "All events in one file"},
			{"datasync export --csv events.csv --excel", "A file that Excel opens"},
			{"datasync export --csv - --since 7d | gzip > week.gz", "The last 7 days, piped"},
			{"datasync export --parquet lake --incremental", "A folder; later, what is new"},
			{"datasync export --iceberg web.events --catalog s3://lake", "A table that Spark, Trino and others read; later, what is new"},
		}, []helpGroup{
			{"Target", "parquet csv jsonl force iceberg"},
			{"Iceberg and S3", "catalog endpoint uuid dry-run replace sweep json"},
			{"Events", "since until where query timezone"},
			{"Parquet", "types compression row-group-size"},
			{"CSV", "excel delimiter csv-safe"},
			{"Folder", "partition-by file-size incremental"},
			file,
			{"Output", "memory-limit quiet verbose progress color"},
		}},
		{"stats", "Use", []helpExample{
			{"datasync stats", "Key figures, and a bar a day"},
			{"datasync stats --by page --since 7d", "Pages of the last week"},
			{"datasync stats --by hour --since yesterday --timezone Europe/Berlin", "Hours there"},
		}, []helpGroup{
			{"Figures", "by since until timezone"},
			file,
			output,
		}},
		{"report", "Use", []helpExample{
			{"datasync report --open", "All charts, in the browser"},
			{"datasync report -o week.html --since 7d", "The last 7 days"},
			{`datasync report --title "Shop" --timezone Europe/Berlin`, "To mail"},
		}, []helpGroup{
			{"Figures", "since until timezone title"},
			{"Target", "output force open"},
			file,
			{"Output", "quiet color"},
		}},
		{"serve", "Use", []helpExample{
			{"datasync serve --open", "Charts and SQL, in the browser"},
			{"datasync serve --addr 127.0.0.1:8080", "A port for an SSH tunnel"},
			{"datasync serve --timezone Europe/Berlin", "Days and hours there"},
		}, []helpGroup{
			{"Page", "open addr url-file timezone"},
			file,
			{"Output", "color"},
		}},
		{"schema", "Use", []helpExample{
			{"datasync schema", "All tables and views"},
			{"datasync schema events", "The columns of a table"},
		}, []helpGroup{file, output}},
		{"status", "Prove", []helpExample{
			{"datasync status", "Is it complete, and as of when?"},
			{"datasync status --verbose", "Also windows, endpoints and runs"},
			{"datasync status --max-age 24h", "In a check: exit 1 if older"},
			{"datasync status --json | jq .complete", "In a script"},
		}, []helpGroup{{"Report", "verbose rejected max-age iceberg catalog endpoint"}, {"File", "db recover"}, output}},
		{"verify", "Prove", []helpExample{
			{"datasync verify", "Exit 5 if the counts do not match"},
		}, []helpGroup{file, output}},
		{"explain", "More", []helpExample{
			{"datasync explain", "All topics"},
			{"datasync explain disk-full", "What to do about one"},
		}, []helpGroup{file, output}},
		{"mock", "More", []helpExample{
			{"datasync mock", "Until Ctrl-C"},
			{"datasync mock --events 50k --profile plain", "Few events, no limits"},
			{"datasync mock --access-failures 0.1 --strict", "A harder API"},
		}, []helpGroup{
			{"Server", "addr events shape late-after profile time-scale rate gzip"},
			{"Faults", "strict key-life expired-status outside-status access-limit access-failures"},
			file, output,
		}},
		{"version", "More", []helpExample{
			{"datasync version", "Also DuckDB, Go and time zones"},
			{"datasync version --json", "For a bug report or a script"},
		}, []helpGroup{file, output}},
		{"help", "More", []helpExample{
			{"datasync help pull", "As datasync pull --help"},
		}, []helpGroup{file, output}},
	}
}
