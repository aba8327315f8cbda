package store

import "database/sql"

// Around hands every operation of the store's writer to around from now on.
func (s *Store) Around(around func(do func() error) error) { s.writer.around = around }

// DB is the database as others than the writer use it.
func (s *Store) DB() *sql.DB { return s.db }

// Free replaces what says how many bytes a folder's file system has left.
func (s *Store) Free(free func(folder string) (int64, error)) { s.free = free }
