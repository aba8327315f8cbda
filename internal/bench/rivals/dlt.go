package rivals

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// dltWays are the ways of dlt_pull.py.
func dltWays() []string {
	return []string{"defaults", "recommended settings", "recommended settings, Parquet"}
}

// DLT returns dlt in each of its ways. It installs it into the folder first if need be;
// an error says why it cannot take part.
func DLT(ctx context.Context, folder string) ([]Program, error) {
	e, err := newEnvironment(ctx, folder, "dlt")
	if err != nil {
		return nil, err
	}
	script, err := e.scriptFile("dlt_pull.py")
	if err != nil {
		return nil, err
	}
	var programs []Program
	for _, way := range dltWays() {
		programs = append(programs, Program{
			Name: "dlt", Version: way, Relation: "pulled.events",
			Command: func(ctx context.Context, job Job) *exec.Cmd {
				cmd := exec.CommandContext(ctx, e.program("python"), script, "--url", job.BaseURL, "--key", Key, "--db", job.File(),
					"--folder", filepath.Join(job.Folder, "pipelines"), "--way", way)
				// It must write nothing into the home folder and send no telemetry.
				cmd.Env = append(os.Environ(), "DLT_DATA_DIR="+job.Folder, "RUNTIME__DLTHUB_TELEMETRY=false")
				return cmd
			},
		})
	}
	return programs, nil
}
