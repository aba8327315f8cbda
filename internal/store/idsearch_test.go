package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"

	"datasync/internal/duck"
)

func halvesOf(id uuid.UUID) halves {
	return halves{binary.BigEndian.Uint64(id[8:]), binary.BigEndian.Uint64(id[:8]) ^ 1<<63}
}

func TestFingerprintsOfIDsWithOneEqualHalfDiffer(t *testing.T) {
	const n = 200_000
	for name, id := range map[string]func(i uint64) halves{
		"counted up in the low half":  func(i uint64) halves { return halves{i, 7} },
		"counted up in the high half": func(i uint64) halves { return halves{7, i} },
		"by time":                     func(i uint64) halves { return halves{0x8000000000000000, i << 16} },
		"by the highest bits":         func(i uint64) halves { return halves{i << 46, 0} },
		"alike in both":               func(i uint64) halves { return halves{i, i} },
		"swapped":                     func(i uint64) halves { return halves{i % 2 * (i / 2), (i + 1) % 2 * (i / 2)} },
	} {
		seen, f, out := map[uint64]halves{}, make(filter, n/roomyWord), make([]uint64, 1)
		candidates := 0
		for i := range uint64(n) {
			fingerprints([]halves{id(i + 2)}, out)
			if other, ok := seen[out[0]]; ok && other != id(i+2) {
				t.Fatalf("%s: %x and %x have one fingerprint", name, other, id(i+2))
			}
			seen[out[0]] = id(i + 2)
			if f.add(out[0]) {
				candidates++
			}
			if !f.has(out[0]) {
				t.Fatalf("%s: %x is not in the filter", name, id(i+2))
			}
		}
		if candidates > n/200 {
			t.Errorf("%s: %d of %d are suspected", name, candidates, n)
		}
	}
}

// inParts yields ids in parts of a vector, and fails once the context has ended.
func inParts(lists ...[]halves) idReader {
	return func(ctx context.Context, yield func([]halves) error) error {
		for _, list := range lists {
			for part := range slices.Chunk(list, duck.VectorSize()) {
				if err := errors.Join(ctx.Err(), yield(part)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// The search finds the same ids as a map does, for random ids of which some occur more than once.
func TestSearchFindsAllThatOccurTwice(t *testing.T) {
	usual := defaultLimits()
	poor := func(bits uint64) func([]halves, []uint64) {
		return func(ids []halves, out []uint64) {
			fingerprints(ids, out)
			for i := range ids {
				out[i] %= bits
			}
		}
	}
	for name, limits := range map[string]searchLimits{
		"usual":                    usual,
		"many shares":              {fingerprints, 100, 100_000},
		"full filters":             {fingerprints, 1 << 10, 100_000},
		"poor fingerprints":        {poor(1 << 14), usual.words, usual.candidates},
		"one fingerprint":          {poor(1), usual.words, usual.candidates},
		"poor ones in many shares": {poor(1 << 30), 64, 100_000},
		"no room for new ones":     {fingerprints, usual.words, 1500},
	} {
		for _, size := range []struct{ news, others, copies int }{
			{1, 0, 0}, {2, 0, 1}, {duck.VectorSize(), 0, 1}, {duck.VectorSize() + 1, 0, 1}, {9000, 0, 0}, {9000, 0, 300}, {1, 9000, 1}, {3000, 5000, 0}, {3000, 5000, 200},
		} {
			t.Run(fmt.Sprintf("%s/%+v", name, size), func(t *testing.T) {
				random := rand.New(rand.NewPCG(1, uint64(size.news)))
				others, news := make([]halves, size.others), make([]halves, size.news)
				for _, ids := range [][]halves{others, news} {
					for i := range ids {
						ids[i] = halves{random.Uint64(), random.Uint64()}
					}
				}
				everything := slices.Concat(others, news)
				for i := range size.copies {
					// The first and the last of all, and random ones.
					from, to := random.IntN(len(everything)), random.IntN(size.news)
					if i == 0 {
						from, to = 0, size.news-1
					}
					news[to] = everything[from]
				}
				count := map[uuid.UUID]int{}
				for _, h := range slices.Concat(others, news) {
					count[idOf(h)]++
					if halvesOf(idOf(h)) != h {
						t.Fatalf("%x has become %s", h, idOf(h))
					}
				}
				maps.DeleteFunc(count, func(_ uuid.UUID, n int) bool { return n == 1 })

				s := idSearch{fresh: inParts(news), all: inParts(others, news), newCount: size.news, searchLimits: limits}
				if size.others > 0 {
					s.others = inParts(others)
				}
				twice, err := s.find(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for id := range count {
					if !slices.Contains(twice, id) {
						t.Errorf("%s is not found", id)
					}
				}
				if name == "usual" || name == "many shares" {
					for _, id := range twice {
						if count[id] == 0 {
							t.Errorf("%s is found, but stands once", id)
						}
					}
				}
			})
		}
	}
}

func TestSearchFailsWithTooManyCandidates(t *testing.T) {
	ids := make([]halves, 10_000)
	for i := range ids {
		ids[i] = halves{uint64(i), 1}
	}
	one := func(_ []halves, out []uint64) { clear(out) }
	for name, s := range map[string]idSearch{
		"of all":  {fresh: inParts(ids), all: inParts(ids), newCount: len(ids)},
		"of new":  {fresh: inParts(ids[:9000]), others: inParts(ids[9000:]), all: inParts(ids), newCount: 9000},
		"few new": {fresh: inParts(ids[:100]), others: inParts(ids[100:]), all: inParts(ids), newCount: 100},
	} {
		s.searchLimits = searchLimits{one, 1 << 12, 5000}
		if twice, err := s.find(t.Context()); !errors.Is(err, errCandidates) {
			t.Errorf("%s: %d found, %v", name, len(twice), err)
		}
	}
}

func TestReadIDsEndsWithItsContext(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: t.TempDir() + "/a.duckdb", Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	err = s.writer.readIDs(ctx, "SELECT uuid() FROM range(1000000)", func(ids []halves) error {
		rows += len(ids)
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || rows != duck.VectorSize() {
		t.Errorf("%v after %d rows", err, rows)
	}
	for query, want := range map[string]int{"SELECT uuid() FROM range(5000)": 5000, "SELECT uuid() FROM range(0)": 0} {
		rows = 0
		if err := s.writer.readIDs(t.Context(), query, func(ids []halves) error { rows += len(ids); return nil }); err != nil || rows != want {
			t.Errorf("%s: %d rows, %v", query, rows, err)
		}
	}
	for _, query := range []string{"SELECT nothing", "SELECT CASE WHEN i = 100000 THEN error('broken') ELSE uuid() END FROM range(200000) r(i)"} {
		if err := s.writer.readIDs(t.Context(), query, func([]halves) error { return nil }); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
}
