package app

import (
	"slices"
	"strings"

	"datasync/export"
	"datasync/internal/human"

	"github.com/urfave/cli/v2"
)

// noTarget says which options name the target of an export.
const noTarget = "give --parquet PATH, --csv PATH, --jsonl PATH or --iceberg NAMESPACE.TABLE"

// targetOption returns the option that exports to a path, by the path's ending; "" if that names no
// format of an export.
func targetOption(path string) string {
	n := splitTarget(path)
	switch fileEndings[n.ending] {
	case "Parquet":
		return "--parquet " + human.Shown(path)
	case "CSV":
		return "--csv " + human.Shown(path)
	case "tab-separated values":
		return "--csv " + human.Shown(path) + " --delimiter tab"
	case "JSON Lines", "JSON":
		return "--jsonl " + human.Shown(path)
	case "Excel", "OpenDocument":
		return "--csv " + human.Shown(n.stem+".csv") + " --excel"
	}
	return ""
}

// surplusArgument is the error about an argument of export, which takes its target and its SQL as
// options. hasTarget says that an option names the target.
func surplusArgument(arg string, hasTarget bool) error {
	option := targetOption(arg)
	switch {
	case sqlBegins.MatchString(arg):
		return usage("export takes no argument, but got %s; did you mean --query %q?", human.Shown(arg), arg)
	case option != "" && hasTarget:
		return usage("export writes one target at a time, but got %s as well; run it again with %s", human.Shown(arg), option)
	case option != "":
		return usage("export takes no argument, but got %s; did you mean %s?", human.Shown(arg), option)
	case hasTarget:
		return usage("export takes no argument, but got %s; give a condition to --where, or SQL to --query", human.Shown(arg))
	}
	return usage("export takes no argument, but got %s; %s", human.Shown(arg), noTarget)
}

// isTargetOption reports whether other programs name their target, or its format, by this option.
func isTargetOption(name string) bool {
	return slices.Contains([]string{"o", "out", "output", "outfile", "output-file", "file", "target", "path", "to", "format", "f", "as", "type"}, strings.ToLower(name))
}

// otherTargetOption is the error about such an option of export. value is what follows it on the command
// line, or "".
func otherTargetOption(name, value string) error {
	option := targetOption(value)
	if ending := strings.ToLower(strings.TrimPrefix(value, ".")); option == "" && fileEndings["."+ending] != "" {
		option = strings.Replace(targetOption("PATH."+ending), "PATH."+ending, "PATH", 1)
	}
	if option == "" {
		return usage("unknown option %s; %s", dashed(name), noTarget)
	}
	return usage("unknown option %s; did you mean %s?", dashed(name), option)
}

// folderOptions are the options that make an export a folder.
var folderOptions = []string{"partition-by", "file-size", "incremental"}

// folderOption returns the first option on the command line that makes the export a folder, or "".
func folderOption(c *cli.Context) string {
	for _, name := range folderOptions {
		if c.IsSet(name) {
			return "--" + name
		}
	}
	return ""
}

// checkKind refuses a target that is a file where the options ask for a folder, by its ending, and the
// other way round. A folder that exists keeps its name, and a slash at the end asks for a folder.
func checkKind(c *cli.Context, e *export.Options) error {
	exists := isDirectory(e.Target)
	n := splitTarget(e.Target)
	slash := strings.HasSuffix(e.Target, "/")
	switch {
	case e.IsFolder() && !exists && !slash && n.ending+n.packed != "":
		return contradicts(e, "%s writes a folder, and %s is the ending of a file; name it %s, or %s/", folderOption(c), n.ending+n.packed, human.Shown(n.stem), human.Shown(e.Target))
	case !e.IsFolder() && (exists || slash):
		file := strings.TrimRight(e.Target, "/") + "/events." + e.Format.String()
		return contradicts(e, "it is a folder; name a file such as %s, or write a folder by --partition-by, --file-size or --incremental", human.Shown(file))
	}
	return nil
}
