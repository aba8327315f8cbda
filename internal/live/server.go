package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// maxRequest is how many bytes the line of a request may have.
	maxRequest = 64
	// maxConnections is how many clients are served at a time.
	maxConnections = 64
	// patience is how long a client may take to send its request and to take the answer.
	patience = 5 * time.Second
	// lifeSigns is how far they are apart.
	lifeSigns = time.Second
	// acceptPause is how long is waited where no connection could be accepted.
	acceptPause = 50 * time.Millisecond
)

// Snapshot is a copy of a database.
type Snapshot struct {
	// Path is where it is: beside the database.
	Path string `json:"path"`
	// Batch is the last one that it holds, Events how many events it holds.
	Batch  int64 `json:"batch"`
	Events int64 `json:"events"`
	// Change is what the database's Changes returned when it was made.
	Change int64 `json:"-"`
}

// Database is what a server answers from. Its methods are called from several
// goroutines.
type Database interface {
	// Status returns what the client of "status" gets, as JSON.
	Status(ctx context.Context) (any, error)
	// Snapshot makes a copy, which the server removes.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes counts what was written: while it stays the same, a copy is as good as a
	// new one.
	Changes() int64
}

// Server answers those who want to read a database that is being written to.
type Server struct {
	database string
	listener *net.UnixListener
	patience time.Duration
	signs    time.Duration // between signs of life
	// status is held by the one status that is read: however many ask, the pull keeps
	// its memory and processors.
	status sync.Mutex
}

// Listen makes the socket of the database at that absolute path in the first folder
// that is fit for it, and the file beside the database that names it. What a killed pull
// has left of both is removed first, also where it fails: the caller must hold the
// database's lock. The server that it returns must be served.
func Listen(database string, folders []string) (*Server, error) {
	if err := clean(database); err != nil {
		return nil, err
	}
	l, err := listen(database, folders)
	if err != nil {
		return nil, err
	}
	if err := writeName(database, l.Addr().String()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Server{database: database, listener: l, patience: patience, signs: lifeSigns}, nil
}

// Serve answers until ctx ends. When it returns, all its copies, the socket and the file
// that names it are gone; whoever still reads a copy has it open.
func (s *Server) Serve(ctx context.Context, db Database) {
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = clean(s.database) // so that nobody comes any more
		_ = s.listener.Close()
	})
	defer func() { <-closed }()
	lending := &copies{db: db}
	var handlers sync.WaitGroup
	defer handlers.Wait()
	places := make(chan struct{}, maxConnections)
	for {
		conn, err := s.listener.AcceptUnix()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if err != nil {
			_ = pause(ctx, acceptPause) // as where there are no descriptors left
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			_ = s.reply(conn, nil, errBusy)
			_ = conn.Close()
			continue
		}
		handlers.Go(func() {
			defer func() { <-places }()
			s.handle(ctx, conn, db, lending)
		})
	}
}

// errBusy is what a client gets that is one too many.
var errBusy = errors.New("busy")

// handle serves one client, until it goes away or ctx ends.
func (s *Server) handle(ctx context.Context, conn *net.UnixConn, db Database, lending *copies) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetReadDeadline(time.Now().Add(s.patience))
	request, err := bufio.NewReaderSize(conn, maxRequest).ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = s.reply(conn, nil, errors.New("the request is too long"))
		}
		return
	}
	switch string(request) {
	case "status\n":
		silence := s.giveSigns(conn)
		s.status.Lock()
		status, err := db.Status(ctx)
		s.status.Unlock()
		silence()
		if ctx.Err() == nil {
			_ = s.reply(conn, status, err)
		}
	case "snapshot\n":
		silence := s.giveSigns(conn)
		l, err := lending.borrow(ctx)
		silence()
		if err != nil {
			if ctx.Err() == nil {
				_ = s.reply(conn, nil, err)
			}
			return
		}
		defer lending.giveBack(l)
		if s.reply(conn, l.Snapshot, nil) == nil {
			s.untilGone(conn)
		}
	default:
		_ = s.reply(conn, nil, errors.New("the request is unknown"))
	}
}

// giveSigns sends a space now and then, until silence is called.
func (s *Server) giveSigns(conn net.Conn) (silence func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, s.signs) == nil {
			if conn.SetWriteDeadline(time.Now().Add(s.patience)) != nil {
				return
			}
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// untilGone waits until the client closes the connection, or sends what it should not.
func (s *Server) untilGone(conn net.Conn) {
	if conn.SetReadDeadline(time.Time{}) == nil {
		_, _ = conn.Read(make([]byte, 1))
	}
}

// reply sends one line of JSON: the error, if there is one, else the value.
func (s *Server) reply(conn net.Conn, value any, err error) error {
	if err != nil {
		value = refusal{err.Error()}
	}
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(s.patience)); err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

// refusal is the answer to a request that is not fulfilled.
type refusal struct {
	Error string `json:"error"`
}
