package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"datasync/internal/model"
)

// Variables for the tests.
var (
	// maxSilence is the longest time without a sign of life, maxWait the longest time for the
	// whole answer: a copy may be large.
	maxSilence = 10 * time.Second
	maxWait    = 5 * time.Minute
)

// maxAnswer is the largest answer in bytes.
const maxAnswer = 64 << 20

// The errors of Status and Borrow, besides *RefusedError.
var (
	// ErrNoPull: no pull answers, or it ended before it had answered.
	ErrNoPull = errors.New("no running pull answers")
	// ErrBusy: the pull serves its maximum of clients.
	ErrBusy = model.NewFailure(model.ExitFile, "locked", "the running pull serves its maximum of readers: try again in a moment")
	// ErrUnresponsive: the pull does not answer in time, for example because it is suspended.
	ErrUnresponsive = model.NewFailure(model.ExitFile, "suspended", "the running pull does not answer")
)

// RefusedError is an error of the pull that crossed the socket.
type RefusedError struct {
	Text string
	// Sent are the exit code and the topic that the pull sent; an older pull sends neither.
	Sent model.Exit
}

func (e *RefusedError) Error() string { return e.Text }

// Exit returns Sent, with model.ExitFile in place of a code that is missing or invalid.
func (e *RefusedError) Exit() model.Exit {
	exit := e.Sent
	if exit.Code < model.ExitError || exit.Code > model.ExitFile {
		exit.Code = model.ExitFile
	}
	return exit
}

// Lease is a copy of the database. The pull keeps it until Release is called.
type Lease struct {
	Snapshot
	conn net.Conn
}

// Status asks the pull that writes to the database at that absolute path for its status, and
// decodes the JSON into status. It fails with ErrNoPull, ErrBusy, ErrUnresponsive or a *RefusedError.
func Status(ctx context.Context, database string, status any) error {
	conn, err := ask(ctx, database, "status", status)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Borrow asks the pull that writes to the database at that absolute path for a copy. isCopy
// reports whether a path may be that of a copy of the database. The caller must release the
// lease. Borrow fails with the same errors as Status.
func Borrow(ctx context.Context, database string, isCopy func(database, path string) bool) (*Lease, error) {
	l := &Lease{}
	var err error
	if l.conn, err = ask(ctx, database, "snapshot", &l.Snapshot); err != nil {
		return nil, err
	}
	// The pull may know the folder under another path.
	l.Path = filepath.Join(filepath.Dir(database), filepath.Base(l.Path))
	if !isCopy(database, l.Path) {
		return nil, errors.Join(fmt.Errorf("%w: it offers %q", ErrNoPull, l.Path), l.conn.Close())
	}
	// If the copy is already gone, opening it will fail.
	if info, err := os.Lstat(l.Path); err == nil && (!info.Mode().IsRegular() || !ownedBy(info, users())) {
		return nil, errors.Join(fmt.Errorf("%w: %q is not one of its copies", ErrNoPull, l.Path), l.conn.Close())
	}
	return l, nil
}

// Release tells the pull that the copy is no longer read. If the pull was killed, Release
// removes the copy itself.
func (l *Lease) Release() {
	_ = l.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := l.conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		_ = os.Remove(l.Path) // a pull that ended has already done so
	}
	_ = l.conn.Close()
}

// ask sends the request and decodes the answer into value. It returns the open connection.
func ask(ctx context.Context, database, request string, value any) (_ net.Conn, err error) {
	socket, err := readName(database)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPull, err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, syscall.EAGAIN):
		return nil, ErrBusy
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoPull, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			_ = conn.Close()
		}
	}()
	// This fails if the server has already refused the connection; its answer is read below. It
	// cannot block: so few bytes fit into the socket's buffer.
	_, _ = conn.Write([]byte(request + "\n"))
	line, err := readLine(&silenceReader{ctx, conn, time.Now().Add(maxWait)})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrUnresponsive
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoPull, err)
	}
	return conn, decode(line, value)
}

// silenceReader fails with os.ErrDeadlineExceeded after maxSilence without a byte, or at end.
type silenceReader struct {
	ctx  context.Context
	conn net.Conn
	end  time.Time
}

func (r *silenceReader) Read(b []byte) (int, error) {
	deadline := time.Now().Add(maxSilence)
	if r.end.Before(deadline) {
		deadline = r.end
	}
	if err := errors.Join(r.conn.SetReadDeadline(deadline), r.ctx.Err()); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}

var errTooLong = errors.New("the answer is too long")

func readLine(from io.Reader) ([]byte, error) {
	var line []byte
	for r := bufio.NewReader(from); ; {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxAnswer:
			return nil, errTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

func decode(line []byte, value any) error {
	var refused *refusal
	err := json.Unmarshal(line, &refused)
	if err == nil && refused == nil {
		err = errors.New("the answer is null")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoPull, err)
	}
	switch refused.Error {
	case "":
	case errBusy.Error():
		return ErrBusy
	default:
		return &RefusedError{refused.Error, model.Exit{Code: refused.Exit, Topic: refused.Topic}}
	}
	if err := json.Unmarshal(line, value); err != nil {
		return fmt.Errorf("%w: %w", ErrNoPull, err)
	}
	return nil
}
