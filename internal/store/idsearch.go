package store

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"

	"datasync/internal/duck"
)

// idReader calls yield with ids, some at a time, which are valid until yield returns.
type idReader func(ctx context.Context, yield func(ids []halves) error) error

// idSearch looks for ids that occur twice, at least once among the new ones, without holding all of them
// in memory. It reads the ids twice: first it collects, by a filter that may err, the fingerprints
// that two ids may have; then it finds the ids with these fingerprints.
type idSearch struct {
	// fresh reads the new ids, others all other ids, and all reads both. others is nil if there are
	// none. newCount is how many ids are new.
	fresh, others, all idReader
	newCount           int
	searchLimits
}

// searchLimits says how ids are searched. Only speed and memory depend on it.
type searchLimits struct {
	fingerprints func(ids []halves, out []uint64)
	// words is how many words a filter has at most, candidates how many fingerprints, and
	// how many ids, are kept.
	words, candidates int
}

// defaultLimits limit a search to 32 MB for the filter and as much for candidates, of which there are
// rarely any. A filter holds 33 million ids; more ids are read once for each filter.
func defaultLimits() searchLimits {
	return searchLimits{fingerprints: fingerprints, words: 1 << 22, candidates: 1_000_000}
}

const (
	// fullWord is how many ids a word of the largest filter holds, roomyWord of a smaller one.
	fullWord, roomyWord = 8, 4
	// leastWords is the size of a filter that is as fast as any smaller one.
	leastWords = 1 << 12
)

// errCandidates means that the search cannot hold all ids that may occur twice.
var errCandidates = errors.New("too many ids may occur twice")

// find returns ids that include all that occur twice; usually there are none. It fails with
// errCandidates if there are too many.
func (s *idSearch) find(ctx context.Context) (twice []uuid.UUID, err error) {
	f := make(filter, min(max(s.newCount/roomyWord, leastWords), s.words))
	if s.others != nil && s.newCount <= s.candidates {
		candidates, err := s.each(ctx)
		if err != nil {
			return nil, err
		}
		return s.confirm(ctx, f, candidates, nil)
	}
	shares := s.newCount/(s.words*fullWord) + 1
	for share := range shares {
		candidates, err := s.collect(ctx, f, uint64(share), uint64(shares))
		if err != nil {
			return nil, err
		}
		if twice, err = s.confirm(ctx, f, candidates, twice); err != nil {
			return nil, err
		}
	}
	return twice, nil
}

// each returns the fingerprints of all new ids, in order. Of few ids, each can be a candidate.
func (s *idSearch) each(ctx context.Context) ([]uint64, error) {
	prints := make([]uint64, 0, s.newCount+duck.VectorSize())
	err := s.fresh(ctx, func(ids []halves) error {
		n := len(prints)
		prints = slices.Grow(prints, len(ids))[:n+len(ids)]
		s.fingerprints(ids, prints[n:])
		return nil
	})
	slices.Sort(prints)
	return slices.Compact(prints), err
}

// collect returns the fingerprints of a share that more than one id may have, in order.
func (s *idSearch) collect(ctx context.Context, f filter, share, shares uint64) (candidates []uint64, err error) {
	clear(f)
	prints := make([]uint64, duck.VectorSize())
	through := func(known func(h uint64) bool) func([]halves) error {
		return func(ids []halves) error {
			s.fingerprints(ids, prints)
			for _, h := range prints[:len(ids)] {
				if (shares == 1 || shareOf(h, shares) == share) && known(h) {
					candidates = append(candidates, h)
				}
			}
			if len(candidates) > s.candidates {
				return errCandidates
			}
			return nil
		}
	}
	if err = s.fresh(ctx, through(f.add)); err == nil && s.others != nil {
		err = s.others(ctx, through(f.has))
	}
	slices.Sort(candidates)
	return slices.Compact(candidates), err
}

// confirm adds to twice the ids whose fingerprint is a candidate that an earlier id had, be that the
// same id or not. It clears the filter and uses it again.
func (s *idSearch) confirm(ctx context.Context, f filter, candidates []uint64, twice []uuid.UUID) ([]uuid.UUID, error) {
	if len(candidates) == 0 {
		return twice, nil
	}
	f = f[:min(max(len(candidates)/roomyWord, leastWords), len(f))]
	clear(f)
	for _, h := range candidates {
		f.add(h)
	}
	seen, prints := make([]bool, len(candidates)), make([]uint64, duck.VectorSize())
	err := s.all(ctx, func(ids []halves) error {
		s.fingerprints(ids, prints)
		for i, h := range prints[:len(ids)] {
			if !f.has(h) {
				continue
			}
			n, ok := slices.BinarySearch(candidates, h)
			if ok && seen[n] {
				twice = append(twice, idOf(ids[i]))
			}
			if ok {
				seen[n] = true
			}
		}
		if len(twice) > s.candidates {
			return errCandidates
		}
		return nil
	})
	return twice, err
}

// idOf returns the id with these halves.
func idOf(h halves) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], h[1]^1<<63)
	binary.BigEndian.PutUint64(id[8:], h[0])
	return id
}
