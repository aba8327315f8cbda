package laketest

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"datasync/internal/model"
)

// builtIn is the folder of the built program.
var builtIn string

var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "datasync-lake")
	if err != nil {
		return "", err
	}
	builtIn = folder
	program := filepath.Join(folder, "datasync-lake")
	build := exec.Command("go", "build", "-o", program, "datasync/lake/cmd/datasync-lake")
	build.Stderr = os.Stderr
	return program, build.Run()
})

// Program builds datasync-lake once, and returns its path.
func Program(t *testing.T) string {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// Answer is what a run of datasync-lake printed.
type Answer struct {
	Code     int
	Result   *model.LakeResult
	Error    *model.LakeError
	Progress []model.LakeProgress
	Warnings []string
}

// Process is a running datasync-lake.
type Process struct {
	*exec.Cmd
	input  io.WriteCloser
	output io.ReadCloser
	answer Answer
}

// Plan is an export of a file to a table on a server.
func Plan(t *testing.T, s Server, f File, catalog, name string) model.LakePlan {
	t.Helper()
	return model.LakePlan{
		Version: model.Version, Do: model.LakeDoExport, Database: f.Path, Name: filepath.Base(f.Path), Staging: filepath.Join(filepath.Dir(f.Path), ".staging"),
		Memory: 256 << 20, Endpoint: s.S3, Table: &model.LakeTable{Catalog: catalog, Name: name},
	}
}

// Start starts datasync-lake with a plan and a new staging folder.
func Start(t *testing.T, env []string, plan model.LakePlan) *Process {
	t.Helper()
	if plan.Staging != "" {
		var err error
		if err = os.MkdirAll(plan.Staging, 0o700); err == nil {
			plan.Staging, err = os.MkdirTemp(filepath.Dir(plan.Staging), ".staging-")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &Process{Cmd: exec.Command(Program(t), "run")}
	p.Env, p.Stderr = env, os.Stderr
	var err error
	if p.input, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.output, err = p.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(p.input).Encode(plan); err != nil {
		t.Fatal(err)
	}
	return p
}

// Await reads all lines, calls seen with each, and returns their content. seen may be nil.
func (p *Process) Await(t *testing.T, seen func(model.LakeLine)) Answer {
	t.Helper()
	lines := bufio.NewScanner(p.output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line model.LakeLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v in the line %q", err, lines.Text())
		}
		switch {
		case line.Progress != nil:
			p.answer.Progress = append(p.answer.Progress, *line.Progress)
		case line.Warning != "":
			p.answer.Warnings = append(p.answer.Warnings, line.Warning)
		case line.Result != nil:
			p.answer.Result = line.Result
		case line.Error != nil:
			p.answer.Error = line.Error
		}
		if seen != nil {
			seen(line)
		}
	}
	_ = p.input.Close()
	_ = p.Wait()
	p.answer.Code = p.ProcessState.ExitCode()
	return p.answer
}

// Run executes a plan.
func Run(t *testing.T, s Server, plan model.LakePlan) Answer {
	t.Helper()
	return Start(t, s.Environ(), plan).Await(t, nil)
}

// Leave closes the input of the process, as the end of its parent does.
func (p *Process) Leave() { _ = p.input.Close() }
