package store

import (
	"database/sql"
)

// Around hands every operation of the store's writers to around from now on.
func (s *Store) Around(around func(do func() error) error) {
	for _, w := range s.writers {
		w.around = around
	}
}

// AroundEach is Around, and says which of the writers it is.
func (s *Store) AroundEach(around func(writer int, do func() error) error) {
	for n, w := range s.writers {
		w.around = func(do func() error) error { return around(n, do) }
	}
}

// DB is the database as others than the writer use it.
func (s *Store) DB() *sql.DB { return s.db }

// Free replaces what says how many bytes a folder's file system has left.
func (s *Store) Free(free func(folder string) (int64, error)) { s.free = free }

// SearchBy replaces how ids are searched for copies: by which fingerprints of their low
// and high halves, with how many words in a filter and how many candidates.
func (s *Store) SearchBy(fingerprints func(ids [][2]uint64, out []uint64), words, candidates int) {
	s.search = searchLimits{fingerprints, words, candidates}
}

// Fingerprints are those by which ids are searched otherwise.
func Fingerprints(ids [][2]uint64, out []uint64) { fingerprints(ids, out) }
