package inspect

import (
	"context"
	"database/sql"
	"errors"

	"datasync/internal/duck"
)

// Session is a database file that is open in a sandbox, as by OpenReadOnly, and one connection to
// it. Temporary tables live as long as the connection. It is not safe for concurrent use, except
// for Progress.
type Session struct {
	*duck.Conn
	db *sql.DB // nil in a session that Another returned
}

// OpenSession opens the file of that name, with the errors of OpenReadOnly. It reads results of
// any size and type, and statements may write what the options allow. The caller closes the
// session.
func OpenSession(ctx context.Context, name string, opts ReadOptions) (*Session, error) {
	s := &Session{}
	_, db, err := openToRead(ctx, name, opts, func(path string) (err error) {
		if s.Conn, err = duck.Connect(path, duck.ReadOnlyUntilRestricted()); err != nil {
			return err
		}
		return s.configure(ctx)
	})
	if err != nil {
		if s.Conn != nil {
			s.Conn.Close()
		}
		return nil, err
	}
	s.db = db
	return s, nil
}

// configure makes DuckDB track the progress of statements without printing it, and report the
// position of an error.
func (s *Session) configure(ctx context.Context) error {
	for _, setting := range []string{"errors_as_json = true", "enable_progress_bar_print = false", "enable_progress_bar = true", "progress_bar_time = 0"} {
		if _, err := s.Exec(ctx, "SET "+setting); err != nil {
			return err
		}
	}
	return nil
}

// Another returns a session with another connection to the file, for another goroutine. It shares
// no temporary tables with the first session. The caller closes it before the first session.
func (s *Session) Another() (*Session, error) {
	conn, err := duck.Connect(s.Path(), duck.ReadOnlyUntilRestricted())
	if err != nil {
		return nil, err
	}
	return &Session{Conn: conn}, nil
}

// Close closes the connection, and the file if this is the first session.
func (s *Session) Close() error {
	s.Conn.Close()
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// DB returns the file for database/sql, which uses connections of its own.
func (s *Session) DB() *sql.DB { return s.db }

// QueryRow reads the only row of a query, on another connection. It fails with sql.ErrNoRows.
func (s *Session) QueryRow(ctx context.Context, query string, args []any, into ...any) error {
	err := s.db.QueryRowContext(ctx, query, args...).Scan(into...)
	if err == nil || errors.Is(err, sql.ErrNoRows) || ctx.Err() != nil {
		return err
	}
	return s.Failure(err.Error())
}
