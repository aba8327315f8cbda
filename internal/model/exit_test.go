package model_test

import (
	"errors"
	"fmt"
	"testing"

	"datasync/internal/model"
)

func TestLine(t *testing.T) {
	a, b := errors.New("a: 1"), errors.New("b")
	for want, err := range map[string]error{
		"a: 1":    a,
		"a: 1; b": errors.Join(a, b),
		"b; a: 1": fmt.Errorf("%w", errors.Join(b, errors.Join(a, b))),
	} {
		if got := model.Line(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestExitOf(t *testing.T) {
	usage := model.NewFailure(model.ExitUsage, "", "usage")
	data := model.NewFailure(model.ExitData, "unsound", "data")
	full := model.NewFailure(model.ExitFile, "disk-full", "full")
	memory := model.NewFailure(model.ExitError, "memory", "memory")
	wait := model.NewFailure(model.ExitAPI, "api-wait", "wait")
	failing := model.NewFailure(model.ExitAPI, "api-failing", "failing")
	damaged := model.NewFailure(model.ExitFile, "damaged", "damaged")
	log := model.SubFailure(damaged, model.ExitFile, "damaged-log", "the log")
	file := func(kind, cause error) error { return &model.FileError{Path: "a", Kind: kind, Cause: cause} }
	for _, tc := range []struct {
		name string
		err  error
		want model.Exit
	}{
		{"no error", nil, model.Exit{}},
		{"an error that does not say", errors.New("other"), model.Exit{}},
		{"a sentinel", full, model.Exit{Code: model.ExitFile, Topic: "disk-full"}},
		{"wrapped twice", fmt.Errorf("a: %w", fmt.Errorf("b: %w", full)), model.Exit{Code: model.ExitFile, Topic: "disk-full"}},
		{"usage before all others", errors.Join(full, wait, usage), model.Exit{Code: model.ExitUsage}},
		{"data before the file", errors.Join(full, data), model.Exit{Code: model.ExitData, Topic: "unsound"}},
		{"the file before the API", errors.Join(wait, file(full, nil)), model.Exit{Code: model.ExitFile, Topic: "disk-full"}},
		{"the first of one code", fmt.Errorf("%w; %w", wait, failing), model.Exit{Code: model.ExitAPI, Topic: "api-wait"}},
		{"a file of no kind", file(nil, errors.New("EIO")), model.Exit{Code: model.ExitFile}},
		{"a file whose cause has the topic", file(nil, full), model.Exit{Code: model.ExitFile, Topic: "disk-full"}},
		{"a special case before the general one", file(log, nil), model.Exit{Code: model.ExitFile, Topic: "damaged-log"}},
		{"memory for a query", fmt.Errorf("query: %w", memory), model.Exit{Code: model.ExitError, Topic: "memory"}},
		{"memory for the file", file(memory, nil), model.Exit{Code: model.ExitFile, Topic: "memory"}},
		{"a path that was mistyped", file(usage, nil), model.Exit{Code: model.ExitUsage}},
		{"tables that contradict each other", file(data, nil), model.Exit{Code: model.ExitData, Topic: "unsound"}},
	} {
		if got := model.ExitOf(tc.err); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
	if !errors.Is(log, damaged) || log.Error() != "damaged: the log" {
		t.Errorf("%v is not %v", log, damaged)
	}
	if again := model.NewFailure(model.ExitFile, "disk-full", "full"); errors.Is(again, full) {
		t.Error("two sentinels of the same text are one")
	}
}
