package rivals

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pythonFiles are the script of dlt and the requirements of all.
//
//go:embed python
var pythonFiles embed.FS

// installTime is how long PyPI and pip may take for one rival.
const installTime = 10 * time.Minute

// environment is a virtual environment with what a rival needs from PyPI.
type environment struct{ folder string }

// program is one that is installed in the environment.
func (e environment) program(name string) string { return filepath.Join(e.folder, "bin", name) }

// newEnvironment finds the virtual environment of a rival in the folder, or makes it there. It
// is made anew where the requirements have changed.
func newEnvironment(ctx context.Context, folder, rival string) (environment, error) {
	requirements, err := pythonFiles.ReadFile("python/" + rival + "-requirements.txt")
	if err != nil {
		return environment{}, err
	}
	hash := sha256.Sum256(requirements)
	e := environment{filepath.Join(folder, "python-"+rival+"-"+hex.EncodeToString(hash[:6]))}
	whole := filepath.Join(e.folder, "whole")
	if _, err := os.Stat(whole); err == nil {
		return e, nil
	}
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	if err := e.install(ctx, requirements); err != nil {
		return e, errors.Join(err, os.RemoveAll(e.folder))
	}
	return e, os.WriteFile(whole, nil, 0o644)
}

func (e environment) install(ctx context.Context, requirements []byte) error {
	if err := os.RemoveAll(e.folder); err != nil {
		return err
	}
	if err := quietly(exec.CommandContext(ctx, "python3", "-m", "venv", e.folder)); err != nil {
		return fmt.Errorf("make a virtual environment: %w", err)
	}
	list := filepath.Join(e.folder, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return err
	}
	pip := exec.CommandContext(ctx, e.program("python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", list)
	if err := quietly(pip); err != nil {
		return fmt.Errorf("install from PyPI: %w", err)
	}
	return nil
}

// quietly runs a command; the last line that it prints is part of the error.
func quietly(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
}

// scriptFile writes the script of a rival into its environment and returns its path.
func (e environment) scriptFile(name string) (string, error) {
	text, err := pythonFiles.ReadFile("python/" + name)
	if err != nil {
		return "", err
	}
	file := filepath.Join(e.folder, name)
	return file, os.WriteFile(file, text, 0o644)
}
