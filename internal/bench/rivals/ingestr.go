package rivals

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"datasync/internal/bench/pages"
)

// ingestrEvents reads timestamps, which ingestr is told to leave as text: by itself it takes
// the type from the first that it meets, and spoils those of the other shape.
const ingestrEvents = `(SELECT id, type, CASE WHEN contains("timestamp", '-') THEN TRY_CAST("timestamp" AS TIMESTAMPTZ)
	ELSE make_timestamptz(TRY_CAST("timestamp" AS BIGINT) * 1000) END AS "timestamp" FROM main.events)`

// Ingestr returns ingestr, installed into the folder if need be; an error says why it
// cannot take part. It has no source for an API of which it does not know the name, so it
// gets something easier: the same events as one file of JSON lines, over HTTP.
func Ingestr(ctx context.Context, folder string) (Program, error) {
	e, err := newEnvironment(ctx, folder, "ingestr")
	if err != nil {
		return Program{}, err
	}
	return Program{
		Name: "ingestr", Version: "JSON lines over HTTP", Relation: ingestrEvents,
		Command: func(ctx context.Context, job Job) *exec.Cmd {
			cmd := exec.CommandContext(ctx, e.program("ingestr"), "ingest", "--yes", "--progress", "log",
				"--source-uri", job.BaseURL+pages.LinesPath, "--source-table", "events", "--columns", "timestamp:text",
				"--dest-uri", "duckdb:///"+job.File(), "--dest-table", "main.events", "--pipelines-dir", filepath.Join(job.Folder, "pipelines"))
			cmd.Env = append(os.Environ(), "DLT_DATA_DIR="+job.Folder, "RUNTIME__DLTHUB_TELEMETRY=false", "INGESTR_DISABLE_TELEMETRY=true")
			return cmd
		},
	}, nil
}
