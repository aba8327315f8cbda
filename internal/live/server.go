package live

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"

	"datasync/internal/model"
)

const (
	// maxRequest is the longest line of a request in bytes.
	maxRequest = 64
	// maxConnections is the number of clients that are served at a time.
	maxConnections = 64
	// clientTimeout bounds how long a client takes to send its request, and to read the answer.
	clientTimeout = 5 * time.Second
	// heartbeatEvery is the interval between two signs of life.
	heartbeatEvery = time.Second
	// acceptPause keeps Serve from spinning while no connection can be accepted.
	acceptPause = 50 * time.Millisecond
)

// Snapshot is a copy of a database.
type Snapshot struct {
	// Path is in the folder of the database.
	Path string `json:"path"`
	// Batch is the number of the last batch in it, Events the number of its events.
	Batch  int64 `json:"batch"`
	Events int64 `json:"events"`
	// Change is the result of Database.Changes when the copy was made.
	Change int64 `json:"-"`
}

// Database is the source of a server's answers. Its methods are called from several goroutines.
type Database interface {
	// Status returns the answer to "status", which is encoded as JSON.
	Status(ctx context.Context) (any, error)
	// Snapshot makes a copy. The server removes it.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Changes returns a number that grows with each write. While it stays the same, a copy is
	// up to date.
	Changes() int64
}

// Server answers the readers of a database while a pull writes to it.
type Server struct {
	database  string
	listener  *net.UnixListener
	timeout   time.Duration
	heartbeat time.Duration // the interval
	// status is held while one status is read. However many clients ask, the pull keeps its
	// memory and its processors.
	status sync.Mutex
}

// Listen makes the socket of the database at that absolute path in the first suitable folder,
// and the file beside the database that names it. It first removes the socket and the file that
// a killed pull has left, so the caller must hold the database's lock. The caller must call
// Serve.
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
	return &Server{database: database, listener: l, timeout: clientTimeout, heartbeat: heartbeatEvery}, nil
}

// Serve answers clients until ctx ends. When it returns, it has removed all copies, the socket
// and the file that names it. Readers that have a copy open can go on reading.
func (s *Server) Serve(ctx context.Context, db Database) {
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = clean(s.database) // first, so that no more clients connect
		_ = s.listener.Close()
	})
	defer func() { <-closed }()
	shared := &copies{db: db}
	var handlers sync.WaitGroup
	defer handlers.Wait()
	slots := make(chan struct{}, maxConnections)
	for {
		conn, err := s.listener.AcceptUnix()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if err != nil {
			_ = pause(ctx, acceptPause) // for example, no file descriptor is free
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = s.reply(conn, nil, errBusy)
			_ = conn.Close()
			continue
		}
		handlers.Go(func() {
			defer func() { <-slots }()
			s.handle(ctx, conn, db, shared)
		})
	}
}

// errBusy is the answer to a client beyond maxConnections. Older clients know this text.
var errBusy = errors.New("busy")

// handle serves one client until it disconnects or ctx ends.
func (s *Server) handle(ctx context.Context, conn *net.UnixConn, db Database, shared *copies) {
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetReadDeadline(time.Now().Add(s.timeout))
	request, err := bufio.NewReaderSize(conn, maxRequest).ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = s.reply(conn, nil, errors.New("the request is too long"))
		}
		return
	}
	switch string(request) {
	case "status\n":
		stopBeat := s.beat(conn)
		s.status.Lock()
		status, err := db.Status(ctx)
		s.status.Unlock()
		stopBeat()
		if ctx.Err() == nil {
			_ = s.reply(conn, status, err)
		}
	case "snapshot\n":
		stopBeat := s.beat(conn)
		c, err := shared.borrow(ctx)
		stopBeat()
		if err != nil {
			if ctx.Err() == nil {
				_ = s.reply(conn, nil, err)
			}
			return
		}
		defer shared.release(c)
		if s.reply(conn, c.Snapshot, nil) == nil {
			s.awaitClose(conn)
		}
	default:
		_ = s.reply(conn, nil, errors.New("the request is unknown"))
	}
}

// beat sends a space at each interval until stop is called.
func (s *Server) beat(conn net.Conn) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, s.heartbeat) == nil {
			if conn.SetWriteDeadline(time.Now().Add(s.timeout)) != nil {
				return
			}
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// awaitClose waits until the client closes the connection or sends anything.
func (s *Server) awaitClose(conn net.Conn) {
	if conn.SetReadDeadline(time.Time{}) == nil {
		_, _ = conn.Read(make([]byte, 1))
	}
}

// reply sends one line of JSON: err if it is not nil, else value.
func (s *Server) reply(conn net.Conn, value any, err error) error {
	if err != nil {
		exit := model.ExitOf(err)
		value = refusal{err.Error(), exit.Code, exit.Topic}
	}
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := conn.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

// refusal is the answer to a request that failed.
type refusal struct {
	Error string `json:"error"`
	Exit  int    `json:"exit,omitempty"`
	Topic string `json:"topic,omitempty"`
}
