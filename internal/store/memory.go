package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/bits"
	"strconv"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// PullMemoryLimit is the memory limit of DuckDB in a pull, in bytes, as long as no text is long. It
// is enough for two row groups at a time, and keeps the process below 350 MB.
const PullMemoryLimit = 64_000_000

// longText is the length in bytes from which DuckDB 1.5 stores a text in a block of its own. It holds
// all of these in memory that one transaction has, and all of one vector when it writes the table.
const longText = 4096

const longestKey = "longest_text"

// memory is DuckDB's memory limit. It grows with the longest text of the file, up to DuckDB's own
// default.
type memory struct {
	base, limit, most int64 // in bytes; base 0 leaves DuckDB's default
	longest           int   // in bytes, rounded up to a power of two; 0 if no text is long
}

// start sets DuckDB's limit to base bytes and the need of the file's long texts. Base 0 leaves
// DuckDB's default.
func (m *memory) start(ctx context.Context, db *sql.DB, base int64, meta map[string]string) error {
	if base == 0 {
		return nil
	}
	m.base = base
	m.longest, _ = strconv.Atoi(meta[longestKey])
	err := db.QueryRowContext(ctx, "SELECT parse_formatted_bytes(current_setting('memory_limit'))::BIGINT").Scan(&m.most)
	if err != nil {
		return err
	}
	m.limit = m.needed(texts{})
	_, err = db.ExecContext(ctx, setMemory(m.limit))
	return err
}

// needed returns how many bytes DuckDB needs for a transaction with these texts.
func (m *memory) needed(t texts) int64 {
	// Comparing events takes three copies at a time.
	copies := 3 * int64(max(t.long, t.all-concurrentBytes))
	return min(m.base+copies+int64(duck.VectorSize())*int64(m.longest), m.most)
}

func setMemory(bytes int64) string { return fmt.Sprintf("SET GLOBAL memory_limit = '%dB'", bytes) }

// raise sets DuckDB's limit to so many bytes, unless it is higher already.
func (m *memory) raise(w *writer, bytes int64) error {
	if m.base == 0 || bytes <= m.limit {
		return nil
	}
	m.limit = bytes
	_, err := w.exec(setMemory(bytes))
	return err
}

// texts is how many bytes of text events and rejects have: in all, in long texts, and in the longest.
type texts struct{ all, long, longest int }

func (t *texts) add(lengths ...int) {
	for _, n := range lengths {
		t.all += n
		if n > longText {
			t.long += n
			t.longest = max(t.longest, n)
		}
	}
}

func textsOf(b *model.Batch) (t texts) {
	for i := range b.Pages {
		for j := range b.Pages[i].Events {
			e := &b.Pages[i].Events[j]
			t.add(len(e.Type), len(e.Name.String), len(e.DeviceType.String), len(e.Browser.String), len(e.Properties), len(e.Extra))
		}
		for j := range b.Pages[i].Rejects {
			r := &b.Pages[i].Rejects[j]
			t.add(len(r.Raw), len(r.Reason), len(r.Key))
		}
	}
	return t
}

// reserve raises DuckDB's limit for these texts, and stores the length of the longest: DuckDB needs as
// much again whenever it writes the table.
func (m *memory) reserve(w *writer, t texts) error {
	remember := t.longest > m.longest
	if remember {
		m.longest = 1 << bits.Len(uint(t.longest))
	}
	if err := m.raise(w, m.needed(t)); err != nil {
		return err
	}
	if !remember {
		return nil
	}
	if _, err := w.execArgs("DELETE FROM meta WHERE key = $1", longestKey); err != nil {
		return err
	}
	_, err := w.execArgs("INSERT INTO meta VALUES ($1, $2)", longestKey, strconv.Itoa(m.longest))
	return err
}

// concurrentBytes is how much text a batch may have that is written concurrently: two of them must
// fit into a pull's memory.
const concurrentBytes = 24 << 20
