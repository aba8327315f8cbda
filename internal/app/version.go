package app

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"datasync/internal/duck"
	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// version is the version of the program.
const version = model.Version

// goTimeZones is the release of the time zone database in time/tzdata of Go version goChecked.
const (
	goTimeZones = "2025c"
	goChecked   = "go1.26.8"
)

// zoneFolders are where package time looks for zone files first.
var zoneFolders = []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}

// unknown is what cannot be found out.
const unknown = "unknown"

// versionInfo has the versions of the program and its parts. It is the JSON of datasync version.
type versionInfo struct {
	Version string `json:"version"`
	// Commit is the commit from which the program was built, CommitTime its time; they are null if
	// the build did not know. Modified says that the sources had changes that are not in it.
	Commit     *string    `json:"commit"`
	CommitTime *time.Time `json:"commit_time"`
	Modified   bool       `json:"modified"`
	DuckDB     string     `json:"duckdb"`
	Go         string     `json:"go"`
	Platform   string     `json:"platform"`
	TimeZones  zoneInfo   `json:"time_zones"`
}

// zoneInfo has the releases of the time zone database, such as 2026d. SQL uses the first one.
// Displayed times, and dates in options, use the second one.
type zoneInfo struct {
	SQL   string `json:"sql"`
	Shown string `json:"shown"`
	// Source is the folder of Shown, or "go" for the copy in the program.
	Source string `json:"source"`
}

func versionCommand(t term.IO) *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "show versions: program, commit, DuckDB, Go, time zones",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			build, _ := debug.ReadBuildInfo()
			v := readVersion(build, shownZones(t.Getenv("ZONEINFO"), zoneFolders))
			if c.Bool("json") {
				return writeJSON(t.Stdout, v)
			}
			_, err := io.WriteString(t.Stdout, v.text(t.Width()))
			return err
		},
	}
}

// readVersion returns the versions of the program and its parts. build may be nil.
func readVersion(build *debug.BuildInfo, zones zoneInfo) versionInfo {
	v := versionInfo{
		Version: version, DuckDB: strings.TrimPrefix(duck.Version(), "v"), Go: strings.TrimPrefix(runtime.Version(), "go"),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, TimeZones: zones,
	}
	if build == nil {
		return v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = &s.Value
		case "vcs.time":
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
				v.CommitTime = &at
			}
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// shownZones finds the zone files that package time reads. They are those of the variable ZONEINFO,
// of the first folder that has any, or the copy in the program.
func shownZones(variable string, folders []string) zoneInfo {
	z := zoneInfo{SQL: duck.TimeZones, Shown: unknown, Source: "go"}
	if variable != "" {
		folders = append([]string{variable}, folders...)
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || info.IsDir() && !hasZone(folder) {
			continue
		}
		z.Shown, z.Source = releaseIn(folder), folder
		return z
	}
	if runtime.Version() == goChecked {
		z.Shown = goTimeZones
	}
	return z
}

func hasZone(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "Europe", "Berlin"))
	return err == nil
}

// releaseIn returns the release of the zone files in a folder, from either of two files.
func releaseIn(folder string) string {
	for _, name := range []string{"tzdata.zi", "+VERSION"} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if release := strings.TrimSpace(strings.TrimPrefix(line, "# version ")); release != "" && len(release) < 16 {
			return release
		}
	}
	return unknown
}

// text returns the versions for a person, on a terminal of this width; 0 is no limit.
func (v versionInfo) text(width int) string {
	f := &fields{width: width}
	program := v.Version
	if v.Commit != nil {
		program += ", commit " + (*v.Commit)[:min(12, len(*v.Commit))]
		if v.CommitTime != nil {
			program += " of " + v.CommitTime.UTC().Format(time.DateOnly)
		}
		if v.Modified {
			program += ", with changes that are not in it"
		}
	} else {
		program += ", commit " + unknown
	}
	f.line("datasync", "%s", program)
	f.line("DuckDB", "%s", v.DuckDB)
	f.line("Go", "%s, %s", v.Go, v.Platform)
	source := v.TimeZones.Source
	if source == "go" {
		source = "in Go"
	}
	f.line("time zones", "%s in SQL (in DuckDB)", v.TimeZones.SQL)
	f.line("", "%s for shown times and dates in options (%s)", v.TimeZones.Shown, source)
	return f.String()
}
