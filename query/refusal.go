package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"datasync/internal/duck"
)

// command returns how the user sets an option: in the shell by a command.
func (o *Options) command(option string) string {
	if !o.Shell {
		return option
	}
	switch option {
	case allColumns:
		return ".mode line"
	case "--timezone", "--param":
		return "." + option[len("--"):]
	}
	return option
}

// checkCommand refuses a shell command in place of SQL, and names an alternative.
func checkCommand(text string) error {
	if text[0] != '.' && text[0] != '\\' {
		return nil
	}
	name, _, _ := strings.Cut(strings.Fields(text)[0], ";")
	use := map[string]string{
		".schema": "datasync schema", ".fullschema": "datasync schema", `\d`: "datasync schema", `\d+`: "datasync schema",
		".tables": "SHOW TABLES", ".databases": "SHOW DATABASES", `\dt`: "SHOW TABLES", `\l`: "SHOW DATABASES", `\x`: "--format line",
		".mode": "--format", ".csv": "--format csv", ".json": "--format json", ".maxrows": "--max-rows", ".timer": "--timing", `\timing`: "--timing",
		".output": "--output", ".once": "--output", `\o`: "--output", ".read": "--file", `\i`: "--file", ".param": "--param", ".parameter": "--param",
		".timezone": "--timezone", ".named": "--named", ".open": "--db", `\c`: "--db", ".help": "datasync help query", `\?`: "datasync help query",
		".import": "the duckdb program", ".dump": "datasync export", ".excel": "datasync export",
	}[name]
	if use == "" {
		use = "datasync query without SQL, which starts the shell"
	}
	return fmt.Errorf("%s is a shell command, not SQL; use %s", name, use)
}

// refusal returns an error that names the statement and an alternative, if query refused it; otherwise
// err.
func refusal(text string, err error, opts *Options) error {
	var e *duck.SQLError
	if !errors.As(err, &e) || strings.HasPrefix(e.Text, "Parser Error: ") {
		return err
	}
	words := leadingWords(text)
	what, why, use := "", "", ""
	switch first := words[0]; {
	case leavesFile(first):
		what, why, use = leaving(words, opts)
	case strings.Contains(e.Text, "attached in read-only mode"):
		what, why, use = changing(words)
	case strings.Contains(e.Text, "the configuration has been locked"):
		what, why, use = setting(words, opts)
	case strings.Contains(e.Text, "disabled by configuration"):
		what, why, use = "reading another file", "query reads only this database", duckdbProgram
	case strings.Contains(e.Text, "Extension Autoloading"), strings.Contains(e.Text, "installing and loading the"):
		what, why, use = "a function of an extension", "query loads none", duckdbProgram
	default:
		return err
	}
	refused := *e
	refused.Text = fmt.Sprintf("%s is refused, %s", what, why)
	if use != "" {
		refused.Text += "; use " + use
	}
	return &refused
}

// duckdbProgram can run the statements that query refuses.
const duckdbProgram = "the duckdb program while no pull runs"

// leadingWords returns the words of a statement, in capitals, after EXPLAIN and PREPARE, up to the
// first parenthesis, string or other sign. It returns at least one word, which may be "".
func leadingWords(text string) []string {
	var words []string
	ended := false
	lex(text, func(t token, from, to int) {
		switch {
		case t == blank || ended:
		case t == other && (inName(text[from]) || text[from] == '"'):
			words = append(words, strings.ToUpper(strings.Trim(text[from:to], `"`)))
		default:
			ended = true
		}
	})
	for _, prefix := range []string{"EXPLAIN", "ANALYZE"} {
		if len(words) > 1 && words[0] == prefix {
			words = words[1:]
		}
	}
	if len(words) > 3 && words[0] == "PREPARE" && words[2] == "AS" {
		words = words[3:]
	}
	return append(words, "", "")
}

// leavesFile reports whether a statement of that first word always needs another file, or the network.
func leavesFile(first string) bool {
	return slices.Contains([]string{"COPY", "EXPORT", "IMPORT", "ATTACH", "INSTALL", "LOAD", "FORCE"}, first)
}

// leaving names the alternative to a statement that needs another file.
func leaving(words []string, opts *Options) (what, why, use string) {
	switch words[0] {
	case "COPY":
		if slices.Contains(words, "FROM") {
			return "COPY ... FROM", "query is read-only", duckdbProgram
		}
		if opts.Shell {
			return "COPY", "query is read-only", ".once FILE before a SELECT, or datasync export"
		}
		return "COPY", "query is read-only", "datasync export"
	case "EXPORT":
		return "EXPORT DATABASE", "query writes no files", "datasync export"
	case "IMPORT":
		return "IMPORT DATABASE", "query is read-only", duckdbProgram
	case "ATTACH":
		return "ATTACH", "query reads only this database", duckdbProgram
	case "FORCE":
		return "INSTALL", "query loads no extension", duckdbProgram
	}
	return words[0], "query loads no extension", duckdbProgram
}

// changing names the alternative to a statement that changes the file.
func changing(words []string) (what, why, use string) {
	const readOnly = "query is read-only"
	switch words[0] {
	case "CREATE":
		what := slices.DeleteFunc(words[1:], func(word string) bool { return word == "OR" || word == "REPLACE" || word == "UNIQUE" })[0]
		switch what {
		case "TABLE", "VIEW", "MACRO":
			return "CREATE " + what, readOnly, "CREATE TEMP " + what
		case "FUNCTION":
			return "CREATE FUNCTION", readOnly, "CREATE TEMP MACRO"
		}
		return "CREATE " + what, readOnly, "CREATE TEMP TABLE"
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE":
		return words[0], readOnly, "a copy: CREATE TEMP TABLE t AS FROM events"
	case "DROP", "ALTER", "COMMENT":
		return words[0], readOnly, ""
	}
	return "changing the database", readOnly, ""
}

// setting names the alternative to a statement that changes a setting.
func setting(words []string, opts *Options) (what, why, use string) {
	statement := words[0]
	name := slices.DeleteFunc(words[1:], func(word string) bool {
		return word == "GLOBAL" || word == "SESSION" || word == "LOCAL"
	})[0]
	if name == "TIMEZONE" || name == "TIME" { // SET TIME ZONE
		return statement + " TimeZone", "settings are fixed", opts.command("--timezone")
	}
	return statement + " " + strings.ToLower(name), "settings are fixed", "SET VARIABLE for values of your own"
}
