package store

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"

	"datasync/internal/duck"
)

// idReader hands over ids, some at a time. They are valid until yield returns.
type idReader func(ctx context.Context, yield func(ids []halves) error) error

// idSearch looks for ids that stand twice, at least once among the new ones, without
// keeping all of them. It reads them twice: first to find the fingerprints that may
// belong to two, by a filter that cannot always tell, then to see where these stand.
type idSearch struct {
	// Of the ids fresh gives the new ones, others those that are not, where there are
	// some, and all gives both. News is how many are new.
	fresh, others, all idReader
	news               int
	searchLimits
}

// searchLimits says how ids are searched. Nothing but speed and memory depends on it.
type searchLimits struct {
	fingerprints func(ids []halves, out []uint64)
	// words is how many words a filter has at most, suspects how many fingerprints, and
	// how many ids, are kept.
	words, suspects int
}

// usualLimits keep a search to 32 MB for the filter and as much for suspects, of which
// there are rarely any. Ids of more than one filter, 33 million, are read again for each.
func usualLimits() searchLimits {
	return searchLimits{fingerprints: fingerprints, words: 1 << 22, suspects: 1_000_000}
}

const (
	// fullWord is how many ids there are for a word of a filter that has as many words as
	// it may, roomyWord for one that is smaller.
	fullWord, roomyWord = 8, 4
	// leastWords are so few that a smaller filter would be no faster.
	leastWords = 1 << 12
)

// errSuspects: so many ids may stand twice that the search cannot keep them.
var errSuspects = errors.New("too many ids may stand twice")

// find returns ids among which are all that stand twice: in a usual file none. It fails
// with errSuspects where there are too many.
func (s *idSearch) find(ctx context.Context) (twice []uuid.UUID, err error) {
	f := make(filter, min(max(s.news/roomyWord, leastWords), s.words))
	if s.others != nil && s.news <= s.suspects {
		suspects, err := s.each(ctx)
		if err != nil {
			return nil, err
		}
		return s.confirm(ctx, f, suspects, nil)
	}
	shares := s.news/(s.words*fullWord) + 1
	for share := range shares {
		suspects, err := s.suspect(ctx, f, uint64(share), uint64(shares))
		if err != nil {
			return nil, err
		}
		if twice, err = s.confirm(ctx, f, suspects, twice); err != nil {
			return nil, err
		}
	}
	return twice, nil
}

// each returns the fingerprints of all new ids, in order: of few, each may be suspected.
func (s *idSearch) each(ctx context.Context) ([]uint64, error) {
	prints := make([]uint64, 0, s.news+duck.VectorSize())
	err := s.fresh(ctx, func(ids []halves) error {
		n := len(prints)
		prints = slices.Grow(prints, len(ids))[:n+len(ids)]
		s.fingerprints(ids, prints[n:])
		return nil
	})
	slices.Sort(prints)
	return slices.Compact(prints), err
}

// suspect returns the fingerprints of a share that may belong to more than one id, in
// order.
func (s *idSearch) suspect(ctx context.Context, f filter, share, shares uint64) (suspects []uint64, err error) {
	clear(f)
	prints := make([]uint64, duck.VectorSize())
	through := func(known func(h uint64) bool) func([]halves) error {
		return func(ids []halves) error {
			s.fingerprints(ids, prints)
			for _, h := range prints[:len(ids)] {
				if (shares == 1 || shareOf(h, shares) == share) && known(h) {
					suspects = append(suspects, h)
				}
			}
			if len(suspects) > s.suspects {
				return errSuspects
			}
			return nil
		}
	}
	if err = s.fresh(ctx, through(f.add)); err == nil && s.others != nil {
		err = s.others(ctx, through(f.has))
	}
	slices.Sort(suspects)
	return slices.Compact(suspects), err
}

// confirm adds to twice the ids with one of the fingerprints which another one had
// before, be it the same id or not. The filter is emptied and serves once more.
func (s *idSearch) confirm(ctx context.Context, f filter, suspects []uint64, twice []uuid.UUID) ([]uuid.UUID, error) {
	if len(suspects) == 0 {
		return twice, nil
	}
	f = f[:min(max(len(suspects)/roomyWord, leastWords), len(f))]
	clear(f)
	for _, h := range suspects {
		f.add(h)
	}
	seen, prints := make([]bool, len(suspects)), make([]uint64, duck.VectorSize())
	err := s.all(ctx, func(ids []halves) error {
		s.fingerprints(ids, prints)
		for i, h := range prints[:len(ids)] {
			if !f.has(h) {
				continue
			}
			n, ok := slices.BinarySearch(suspects, h)
			if ok && seen[n] {
				twice = append(twice, idOf(ids[i]))
			}
			if ok {
				seen[n] = true
			}
		}
		if len(twice) > s.suspects {
			return errSuspects
		}
		return nil
	})
	return twice, err
}

// idOf is the id of which h are the halves.
func idOf(h halves) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], h[1]^1<<63)
	binary.BigEndian.PutUint64(id[8:], h[0])
	return id
}
