package app

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"datasync/internal/human"

	"github.com/urfave/cli/v2"
)

// sameCommand and sameOption map other programs' names to our commands and options.
var (
	sameCommand = map[string]string{
		"sync": "pull", "fetch": "pull", "get": "pull", "download": "pull", "update": "pull", "sql": "query", "select": "query",
		"shell": "query", "dump": "export", "save": "export", "check": "verify", "info": "status", "tables": "schema", "describe": "schema",
		"serve": "mock", "server": "mock", "man": "help",
	}
	sameOption = map[string][]string{
		"database": {"db"}, "since": {"from"}, "from": {"since"}, "to": {"until"}, "before": {"until"}, "tz": {"timezone"}, "out": {"output"},
		"key": {"api-key-file"}, "api-key": {"api-key-file"}, "url": {"base-url"}, "limit": {"max-rows", "page-size"}, "silent": {"quiet"}, "s": {"quiet"},
		"overwrite": {"force"}, "f": {"force", "file"}, "parallel": {"workers"}, "threads": {"workers"}, "jobs": {"workers"}, "j": {"workers"},
		"port": {"addr"}, "listen": {"addr"}, "full": {"restart"}, "details": {"verbose"}, "all": {"verbose"}, "dryrun": {"dry-run"}, "n": {"dry-run", "max-rows"},
	}
	sqlBegins = regexp.MustCompile(`(?i)^\s*(select|from|with|describe|show|summarize)\s`)
)

// unknownCommand is the error about a command that does not exist.
func unknownCommand(program *cli.App, name string) error {
	var names []string
	for _, command := range program.Commands {
		names = append(names, command.Name)
	}
	next := "see datasync --help"
	switch near := human.Nearest(name, names); {
	case near != "":
		next = "did you mean " + near + "?"
	case sameCommand[strings.ToLower(name)] != "":
		next = "did you mean " + sameCommand[strings.ToLower(name)] + "?"
	case sqlBegins.MatchString(name):
		next = "did you mean datasync query, with the SQL in quotes?"
	case slices.Contains([]string{".duckdb", ".db", ".ddb"}, filepath.Ext(name)):
		next = "did you mean datasync query --db " + human.Shown(name) + "?"
	}
	return usage("unknown command %q; %s", name, next)
}

// unknownOptionError is the error about an option that a command, or the program, does not have.
// next is the argument that follows it, or "".
func unknownOptionError(program *cli.App, command *cli.Command, name, next string) error {
	if command != nil && command.Name == "export" && isTargetOption(name) {
		return otherTargetOption(name, next)
	}
	if command != nil && isSecretOption(name) && optionNamed(command.Flags, "catalog") != nil {
		return usage("unknown option %s; %s", dashed(name), credentialsHint)
	}
	owners := commandsWith(program, name)
	var known []string
	help := "see datasync --help"
	switch {
	case command != nil:
		known = append(optionNames(command.Flags), optionNames(program.Flags)...)
		help = "see datasync " + command.Name + " --help"
	case len(owners) > 0:
		return usage("%s is an option of %s: give it after the command", dashed(name), strings.Join(owners, ", "))
	default:
		known = optionNames(program.Flags)
		for _, c := range program.Commands {
			known = append(known, optionNames(c.Flags)...)
		}
	}
	near := human.Nearest(name, known)
	for _, same := range sameOption[strings.ToLower(name)] {
		if near == "" && slices.Contains(known, same) {
			near = same
		}
	}
	switch {
	case near != "" && command == nil && len(commandsWith(program, near)) > 0:
		help = "did you mean " + dashed(near) + " of " + strings.Join(commandsWith(program, near), ", ") + "?"
	case near != "":
		help = "did you mean " + dashed(near) + "?"
	case len(owners) > 0:
		help = "it is an option of " + strings.Join(owners, ", ")
	}
	return usage("unknown option %s; %s", dashed(name), help)
}

// optionNames returns the long names of options.
func optionNames(flags []cli.Flag) (names []string) {
	for _, f := range flags {
		for _, name := range f.Names() {
			if len(name) > 1 {
				names = append(names, name)
			}
		}
	}
	return names
}
