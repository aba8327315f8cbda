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
)

// Variables for the tests.
var (
	// longestSilence is how long a pull may give no sign of life, longestWait how long it
	// may take for the answer: a copy may be large.
	longestSilence = 10 * time.Second
	longestWait    = 5 * time.Minute
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 20

// What can be wrong with an answer, beside the refusals of the pull.
var (
	// ErrNone: no pull answers, or it ended before it did.
	ErrNone = errors.New("no pull is running that answers")
	// ErrBusy: too many others are being served.
	ErrBusy = errors.New("the running pull serves as many readers as it can: try again in a moment")
	// ErrSilent: the pull does not answer in time, as one that was stopped.
	ErrSilent = errors.New("the running pull does not answer")
)

// RefusedError is what the pull says of why it cannot answer.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

// Loan is a copy of the database that the pull keeps until it is given back.
type Loan struct {
	Snapshot
	conn net.Conn
}

// Status asks the pull that works on the database at that absolute path for its status,
// which is read into status. It fails with ErrNone, ErrBusy, ErrSilent or a
// *RefusedError.
func Status(ctx context.Context, database string, status any) error {
	conn, err := ask(ctx, database, "status", status)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Borrow asks the pull that works on the database at that absolute path for a copy,
// which must be given back; isCopy says what a copy may be called. It fails as Status
// does.
func Borrow(ctx context.Context, database string, isCopy func(database, path string) bool) (*Loan, error) {
	l := &Loan{}
	var err error
	if l.conn, err = ask(ctx, database, "snapshot", &l.Snapshot); err != nil {
		return nil, err
	}
	// The pull may know the folder by another path.
	l.Path = filepath.Join(filepath.Dir(database), filepath.Base(l.Path))
	if !isCopy(database, l.Path) {
		return nil, errors.Join(fmt.Errorf("%w: it offers %q", ErrNone, l.Path), l.conn.Close())
	}
	// One that has gone already is for whoever opens it to find out.
	if info, err := os.Lstat(l.Path); err == nil && (!info.Mode().IsRegular() || !ownedBy(info, users())) {
		return nil, errors.Join(fmt.Errorf("%w: %q is not a copy of its", ErrNone, l.Path), l.conn.Close())
	}
	return l, nil
}

// GiveBack says that the copy is not read any more. Where the pull was killed, it
// removes the copy itself.
func (l *Loan) GiveBack() {
	_ = l.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := l.conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		_ = os.Remove(l.Path) // which a pull that ended has done
	}
	_ = l.conn.Close()
}

// ask sends the request and reads the answer into value. The connection that it returns
// is open.
func ask(ctx context.Context, database, request string, value any) (_ net.Conn, err error) {
	socket, err := readName(database)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, syscall.EAGAIN):
		return nil, ErrBusy
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
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
	// Whoever is turned away is so before it has asked: then this fails. It takes no time,
	// as there is room for so little.
	_, _ = conn.Write([]byte(request + "\n"))
	line, err := readLine(&patientReader{ctx, conn, time.Now().Add(longestWait)})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrSilent
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	return conn, decode(line, value)
}

// patientReader reads as long as something comes now and then, up to the end.
type patientReader struct {
	ctx  context.Context
	conn net.Conn
	end  time.Time
}

func (r *patientReader) Read(b []byte) (int, error) {
	deadline := time.Now().Add(longestSilence)
	if r.end.Before(deadline) {
		deadline = r.end
	}
	if err := errors.Join(r.conn.SetReadDeadline(deadline), r.ctx.Err()); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}

// errTooLong: nothing that a pull would answer.
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
		err = errors.New("it says nothing")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	switch refused.Error {
	case "":
	case errBusy.Error():
		return ErrBusy
	default:
		return &RefusedError{refused.Error}
	}
	if err := json.Unmarshal(line, value); err != nil {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	return nil
}
