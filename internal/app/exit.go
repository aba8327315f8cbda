package app

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"datasync/internal/model"
)

// exitCodes is the table in --help.
var exitCodes = []struct{ code, meaning string }{
	{"0", "done"},
	{"1", "error"},
	{"2", "wrong usage"},
	{"3", "the API refused the key"},
	{"4", "the API failed; the same command resumes the pull"},
	{"5", "the counts do not match"},
	{"6", "the database file is missing, locked, damaged, on a full disk, of another API or version, not readable or not a datasync file; " +
		"or a file beside it or in the folder of an export is not trusted"},
	{"130", "interrupted (SIGINT)"},
	{"143", "terminated (SIGTERM, SIGHUP)"},
}

// exitOf returns the exit code and the topic of an error.
func exitOf(err error) model.Exit {
	exit := model.ExitOf(err)
	if exit.Code == 0 {
		exit.Code = model.ExitError
	}
	if exit.Topic == "" && exit.Code != model.ExitUsage && outOfFiles(err) {
		exit.Topic = "limits"
	}
	return exit
}

// outOfFiles reports whether the process or the system has no file descriptor left. The error
// may come from anywhere, so that no sentinel has its topic.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// errorLine returns the line that tells a person of an error. It ends with the topic, if the
// error has one that this program knows.
func errorLine(err error) string {
	line := model.Line(err)
	if topic := exitOf(err).Topic; isTopic(topic) { // a newer pull may send one that is unknown
		line += see(topic)
	}
	return line
}

// unlessUnread returns err, or nil if stdout was closed by its reader, as head(1) does.
func unlessUnread(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == os.Stdout.Name() && errors.Is(path, syscall.EPIPE) {
		return nil
	}
	return err
}
