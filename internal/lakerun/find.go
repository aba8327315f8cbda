package lakerun

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"datasync/internal/model"
)

// The kinds of errors about the program datasync-lake, to be tested with errors.Is.
var (
	// ErrMissing: datasync-lake is not installed.
	ErrMissing = model.NewFailure(model.ExitError, topic, "the program datasync-lake is missing")
	// ErrOther: datasync-lake has another version or commit than this program.
	ErrOther = model.NewFailure(model.ExitError, topic, "the program datasync-lake is another one")
	// ErrEnded: datasync-lake ended without a result.
	ErrEnded = model.NewFailure(model.ExitError, topic, "the program datasync-lake has ended without a result")
)

const (
	// topic is the section of docs/operations.md for these errors.
	topic = "lake"
	// name is the name of the program's file.
	name = "datasync-lake"
	// both is the remedy in messages.
	both = "make build builds both programs, and a release has both"
)

// Build identifies a program. Commit is empty if the build did not record it.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Program is a datasync-lake of this version.
type Program struct{ path string }

// Find returns the datasync-lake beside the program at self, after resolving links, or else the first in
// folders, a list like PATH. It fails with ErrMissing, or with ErrOther if that program has another build.
func Find(ctx context.Context, self, folders string, own Build) (Program, error) {
	p, err := search(self, folders)
	if err != nil {
		return p, err
	}
	return p, p.check(ctx, own)
}

func search(self, folders string) (Program, error) {
	if resolved, err := filepath.EvalSymlinks(self); err == nil {
		self = resolved
	}
	beside := filepath.Dir(self)
	// A release names its files datasync-linux-amd64 and datasync-lake-linux-amd64.
	if suffix, ok := strings.CutPrefix(filepath.Base(self), "datasync"); ok && executable(filepath.Join(beside, name+suffix)) {
		return Program{filepath.Join(beside, name+suffix)}, nil
	}
	for _, folder := range append([]string{beside}, filepath.SplitList(folders)...) {
		// A relative folder would let the working directory decide which program gets credentials.
		if path := filepath.Join(folder, name); filepath.IsAbs(folder) && executable(path) {
			return Program{path}, nil
		}
	}
	return Program{}, fmt.Errorf("%w: it is neither in %s nor on PATH; %s", ErrMissing, beside, both)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// check asks the program for its build.
func (p Program) check(ctx context.Context, own Build) error {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.path, "version", "--json")
	cmd.Env, cmd.Stdout, cmd.Stderr = environment(), &out, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var its Build
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &its)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %s does not say its version: %w%s; %s", ErrOther, p.path, err, after(said.Bytes()), both)
	case its.Version != own.Version:
		return fmt.Errorf("%w: %s has version %s, and this datasync has %s; %s", ErrOther, p.path, cmp.Or(its.Version, "none"), own.Version, both)
	case its.Commit != "" && own.Commit != "" && its.Commit != own.Commit:
		return fmt.Errorf("%w: %s is of commit %.12s, and this datasync of %.12s; %s", ErrOther, p.path, its.Commit, own.Commit, both)
	}
	return nil
}
