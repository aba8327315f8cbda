package rivals

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// Program is something that is measured: how it is started for a Job, and where it puts
// the events.
type Program struct {
	// Name is short, for tables. Version says which version or way of using it this is, where there
	// are several.
	Name, Version string
	// Relation is the part of a query that names the events in Job.File, with the columns id,
	// timestamp and type; empty for a program that stores nothing.
	Relation string
	// Command returns the command that does the Job.
	Command func(ctx context.Context, job Job) *exec.Cmd
}

// Job is a rival's task: to store the pages at BaseURL in File.
type Job struct {
	BaseURL string
	// Pattern matches the files on disk that are served, one a page.
	Pattern string
	// Folder is empty, is the job's own and goes away afterwards.
	Folder string
}

// File is the DuckDB file to make.
func (j Job) File() string { return filepath.Join(j.Folder, "events.duckdb") }

// Self returns the command that starts this program again in another role.
func Self(ctx context.Context, role string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, selfPath(), append([]string{role}, args...)...)
}

// selfPath is this program's file; os.Executable fails on no system that this runs on.
func selfPath() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// Datasync is the program of this project, as built into a file.
func Datasync(binary string) Program {
	return Program{
		Name: "datasync", Relation: "events",
		Command: func(ctx context.Context, job Job) *exec.Cmd {
			cmd := exec.CommandContext(ctx, binary, "--db", job.File(), "pull", "--quiet", "--base-url", job.BaseURL, "--page-size", "5000")
			cmd.Env = append(os.Environ(), "DATASYNC_API_KEY="+Key)
			return cmd
		},
	}
}

// DownloadAlone is Download in a process of its own.
func DownloadAlone() Program {
	return Program{
		Name: "download",
		Command: func(ctx context.Context, job Job) *exec.Cmd {
			return Self(ctx, "download", "--url", job.BaseURL)
		},
	}
}

// PlainClient is Plain in a process of its own.
func PlainClient() Program {
	return Program{
		Name: "plain client", Relation: "events",
		Command: func(ctx context.Context, job Job) *exec.Cmd {
			return Self(ctx, "plain", "--url", job.BaseURL, "--db", job.File())
		},
	}
}

// DuckDBReadJSON is ReadJSON, used in one of its ways, in a process of its own.
func DuckDBReadJSON(way string) Program {
	return Program{
		Name: "read_json", Version: way, Relation: "events",
		Command: func(ctx context.Context, job Job) *exec.Cmd {
			return Self(ctx, "read-json", "--pages", job.Pattern, "--db", job.File(), "--way", way)
		},
	}
}
