package inspect

import (
	"context"
	"database/sql"
	"errors"

	"datasync/internal/duck"
)

// Session is a database file that is open for reading and for nothing else, and one
// connection to it, on which temporary tables live as long as it does. It is not safe
// for concurrent use, but for Progress.
type Session struct {
	*duck.Conn
	db *sql.DB // nil in one that Another returned
}

// OpenSession is OpenReadOnly for results of any size and type, and for statements that
// write what the options allow. The caller closes the session.
func OpenSession(ctx context.Context, name string, opts ReadOptions) (*Session, error) {
	s := &Session{}
	_, db, err := openToRead(ctx, name, opts, func(path string) (err error) {
		if s.Conn, err = duck.Connect(path, duck.ReadOnlyUntilRestricted()); err != nil {
			return err
		}
		return s.knowProgress(ctx)
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

// knowProgress has DuckDB count how far statements are, and print nothing of it.
func (s *Session) knowProgress(ctx context.Context) error {
	for _, setting := range []string{"enable_progress_bar_print = false", "enable_progress_bar = true", "progress_bar_time = 0"} {
		if _, err := s.Exec(ctx, "SET "+setting); err != nil {
			return err
		}
	}
	return nil
}

// Another returns another connection to the file, for a goroutine of its own, which shares
// no temporary tables with the first. The caller closes it before the first.
func (s *Session) Another() (*Session, error) {
	conn, err := duck.Connect(s.Path(), duck.ReadOnlyUntilRestricted())
	if err != nil {
		return nil, err
	}
	return &Session{Conn: conn}, nil
}

// Close closes the connection, and the file if it is the first one.
func (s *Session) Close() error {
	s.Conn.Close()
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// DB is the file for database/sql, on connections of their own.
func (s *Session) DB() *sql.DB { return s.db }

// QueryRow reads the one row of a query, on a connection of its own.
func (s *Session) QueryRow(ctx context.Context, query string, args []any, into ...any) error {
	err := s.db.QueryRowContext(ctx, query, args...).Scan(into...)
	if err == nil || errors.Is(err, sql.ErrNoRows) || ctx.Err() != nil {
		return err
	}
	return s.Failure(err.Error())
}
