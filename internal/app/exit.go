package app

import (
	"errors"
	"fmt"

	"datasync/export"
	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/walk"
	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
	"datasync/query"
)

// exitCodes is the table that --help shows.
const exitCodes = `An error's line ends with the topic that says what to do: see datasync explain.

Exit codes:
  0    done
  1    error
  2    wrong usage
  3    the key was refused
  4    the API failed; the pull can be resumed
  5    the data do not add up
  6    the database is missing, locked, full, damaged, of another API, of a
       version that does not fit, closed to this user, or not ours; or something
       beside it, or in the folder of an export, is not to be trusted
  130  interrupted (SIGINT)
  143  ended (SIGTERM, SIGHUP)`

type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// signalled is the error of a pull that a signal stopped.
type signalled struct{ code int }

func (s signalled) Error() string {
	return "stopped by a signal"
}

// exitCode says with which code an error ends the program.
func exitCode(err error) int {
	var wrongUsage usageError
	var stopped signalled
	var file *model.FileError
	var refused *live.RefusedError
	switch {
	case errors.As(err, &stopped):
		return stopped.code
	case errors.As(err, &wrongUsage), errors.Is(err, dbfile.ErrPath), errors.Is(err, outfile.ErrTarget), errors.Is(err, export.ErrOptions), errors.Is(err, query.ErrEmpty), errors.Is(err, dbfile.ErrZone):
		return 2
	case errors.Is(err, api.ErrKeyRefused):
		return 3
	case errors.Is(err, walk.ErrLoop), errors.Is(err, walk.ErrNoCursor), errors.Is(err, walk.ErrMissing), errors.Is(err, ingest.ErrUnusable), errors.Is(err, errUnsound), errors.Is(err, dbfile.ErrUnsound), errors.Is(err, export.ErrHistory):
		return 5
	case errors.As(err, &file), errors.As(err, &refused), errors.Is(err, live.ErrBusy), errors.Is(err, live.ErrSilent), errors.Is(err, owned.ErrNot):
		return 6
	case errors.Is(err, errPull):
		return 4
	}
	return 1
}
