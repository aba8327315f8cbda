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

// PullMemoryLimit is what a pull lends DuckDB in bytes, as long as no text is long: enough
// for two row groups at a time, and little enough for the whole to stay below 350 MB.
const PullMemoryLimit = 64_000_000

// longText is the length in bytes from which on DuckDB 1.5 keeps a text in a block of its
// own. Of these it holds all in memory that are in one transaction, and when it writes the
// table, all of one vector of rows.
const longText = 4096

const longestKey = "longest_text"

// memory is what DuckDB may use. Texts that are long need more than others: it grows with
// the longest that the file has, up to what DuckDB takes by itself.
type memory struct {
	usual, lent, most int64 // in bytes; 0 is what DuckDB takes by itself
	longest           int   // in bytes, rounded up to a power of two; 0 where none is long
}

// limit lends DuckDB usual bytes, and what the file's long texts need. Where usual is 0 DuckDB
// takes what it does by itself.
func (m *memory) limit(ctx context.Context, db *sql.DB, usual int64, meta map[string]string) error {
	if usual == 0 {
		return nil
	}
	m.usual = usual
	m.longest, _ = strconv.Atoi(meta[longestKey])
	err := db.QueryRowContext(ctx, "SELECT parse_formatted_bytes(current_setting('memory_limit'))::BIGINT").Scan(&m.most)
	if err != nil {
		return err
	}
	m.lent = m.needed(texts{})
	_, err = db.ExecContext(ctx, setMemory(m.lent))
	return err
}

// needed is how many bytes it takes where a transaction has these texts.
func (m *memory) needed(t texts) int64 {
	// Where events are compared there are three copies at a time.
	copies := 3 * int64(max(t.long, t.all-concurrentBytes))
	return min(m.usual+copies+int64(duck.VectorSize())*int64(m.longest), m.most)
}

func setMemory(bytes int64) string { return fmt.Sprintf("SET GLOBAL memory_limit = '%dB'", bytes) }

// lend lets DuckDB use so many bytes, if it may not use more already.
func (m *memory) lend(w *writer, bytes int64) error {
	if m.usual == 0 || bytes <= m.lent {
		return nil
	}
	m.lent = bytes
	_, err := w.exec(setMemory(bytes))
	return err
}

// texts is how much text events and rejects have, in bytes: in all, in long ones, and in
// the longest.
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

// makeRoom sees that long texts fit into DuckDB's memory, now and whenever the table is
// written, which is why the file remembers the longest.
func (m *memory) makeRoom(w *writer, t texts) error {
	remember := t.longest > m.longest
	if remember {
		m.longest = 1 << bits.Len(uint(t.longest))
	}
	if err := m.lend(w, m.needed(t)); err != nil {
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

// concurrentBytes is how much text a batch may have that is written beside another one: what
// both of them need must fit into a pull's memory.
const concurrentBytes = 24 << 20
