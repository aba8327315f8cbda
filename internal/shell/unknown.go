package shell

import (
	"errors"
	"fmt"
	"strings"

	"datasync/internal/human"
)

// instead says what to use in place of commands that other shells have. Those of psql begin with a
// backslash.
var instead = map[string]string{
	".databases": "use .tables: the shell reads one file", ".database": "use .tables: the shell reads one file", ".attach": "the shell reads one file",
	".columns": "use .mode line, or .schema TABLE for the columns of a table", ".rows": "use .mode table",
	".dump": "use .schema, or datasync export", ".fullschema": "use .schema", ".indexes": "use FROM duckdb_indexes();", ".indices": "use FROM duckdb_indexes();",
	".headers": "every result has the names of its columns", ".header": "every result has the names of its columns",
	".width": "a table fits the terminal; .mode box cuts nothing", ".maxwidth": "a table fits the terminal; .mode box cuts nothing",
	".separator": "use .mode csv or .mode tsv", ".csv": "use .mode csv", ".json": "use .mode json", ".nullvalue": "use coalesce(column, 'text') in the SQL",
	".large_number_rendering": "numbers are whole", ".decimal_sep": "use .mode csv, or datasync export --excel", ".thousand_sep": "use format('{:,}', column) in the SQL",
	".excel": "use .once FILE.csv, or datasync export --csv FILE --excel", ".save": "use .once FILE, or datasync export", ".backup": "use datasync export", ".clone": "use datasync export",
	".open": "leave, and start datasync query --db FILE", ".import": "the shell only reads; use the duckdb program", ".load": "the shell loads no extensions",
	".shell": "Ctrl-Z returns to your shell, and fg to this one", ".system": "Ctrl-Z returns to your shell, and fg to this one", ".sh": "Ctrl-Z returns to your shell, and fg to this one",
	".cd": "paths begin where the shell was started; use a longer path", ".print": "use SELECT 'text';", ".echo": "use SELECT 'text';", ".prompt": "the prompt is fixed",
	".show": "use .mode, .maxrows, .timer, .timezone and .param, which show their values", ".settings": "use FROM duckdb_settings();", ".parameter": "use .param NAME=VALUE",
	".set": "use .param NAME=VALUE, .mode or .timezone", ".limit": "use .maxrows N", ".tz": "use .timezone ZONE", ".format": "use .mode FORMAT", ".describe": "use .schema TABLE",
	".bail": ".read stops at the first error", ".changes": "the shell only reads", ".stats": "use .timer on", ".eqp": "use EXPLAIN before the statement", ".explain": "use EXPLAIN before the statement",
	".log": "use .output FILE", ".edit": "the arrow keys edit the line", ".pager": "leave, and start datasync query --no-pager, or set DATASYNC_PAGER",
	".highlight": "use --color, or set NO_COLOR", ".clear": "Ctrl-L clears the screen", ".cls": "Ctrl-L clears the screen", ".history": "the arrow keys and Ctrl-R find earlier statements",
	".bye": "use .quit", ".end": "use .quit", ".stop": "use .quit",

	`\d`: "use .tables, or .schema TABLE", `\d+`: "use .tables, or .schema TABLE", `\dt`: "use .tables", `\dv`: "use .tables", `\l`: "use .tables: the shell reads one file",
	`\x`: "use .mode line", `\timing`: "use .timer on", `\i`: "use .read FILE", `\o`: "use .output FILE", `\copy`: "use .once FILE, or datasync export", `\g`: "end the SQL with ;",
	`\c`: "leave, and start datasync query --db FILE", `\pset`: "use .mode FORMAT", `\set`: "use .param NAME=VALUE", `\e`: "the arrow keys edit the line",
	`\!`: "Ctrl-Z returns to your shell, and fg to this one", `\s`: "the arrow keys and Ctrl-R find earlier statements", `\h`: "use .help",
}

// unknown returns the error about a command that does not exist: with what to use if another shell has
// it, or with the nearest name.
func unknown(name string) error {
	if use := instead[name]; use != "" {
		return fmt.Errorf("there is no %s; %s", name, use)
	}
	var names []string
	for _, c := range append(commands(), command{name: ".exit"}) {
		if !strings.Contains(c.name, " ") {
			names = append(names, c.name[1:])
		}
	}
	if near := human.Nearest(strings.Trim(name, `.\`), names); near != "" {
		return fmt.Errorf("unknown command %s; did you mean .%s?", name, near)
	}
	return errors.New("unknown command " + name + "; see .help")
}
