package store

import (
	"database/sql"
)

// Around sets the function that runs every operation of the store's writers.
func (s *Store) Around(around func(do func() error) error) {
	for _, w := range s.writers {
		w.around = around
	}
}

// AroundEach is Around with the number of the writer.
func (s *Store) AroundEach(around func(writer int, do func() error) error) {
	for n, w := range s.writers {
		w.around = func(do func() error) error { return around(n, do) }
	}
}

// DB returns the database, on connections that are not the writers'.
func (s *Store) DB() *sql.DB { return s.db }

// Free sets the function that returns how many bytes a folder's file system has left.
func (s *Store) Free(free func(folder string) (int64, error)) { s.free = free }

// SearchBy sets how ids are searched for copies: the function that computes fingerprints, the number of words
// of a filter, and the number of candidates.
func (s *Store) SearchBy(fingerprints func(ids [][2]uint64, out []uint64), words, candidates int) {
	s.search = searchLimits{fingerprints, words, candidates}
}

// Fingerprints computes the fingerprints that a search uses by default.
func Fingerprints(ids [][2]uint64, out []uint64) { fingerprints(ids, out) }
