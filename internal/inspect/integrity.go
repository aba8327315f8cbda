package inspect

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/human"
	"datasync/internal/model"
)

// Uncommitted is an SQL expression: the number of the batch after the last one that was committed. It
// works in files of the third schema and later. The table may have events of that batch. The log may
// end between a whole row group and the end of its transaction. DuckDB 1.5 then keeps the events and
// nothing else of the transaction. The next pull removes and fetches them again.
const Uncommitted = `(SELECT 1 + greatest((SELECT coalesce(max(batch), 0) FROM page_log), (SELECT coalesce(max(batch), 0) FROM checkpoints)))`

// contradictions find files from which a pull must not continue: those with rows that their own
// records do not have, or with the log of another file. They read a few rows, and work in files of
// all schemas. Verify reads everything.
var contradictions = []string{
	`SELECT 'the page log has ' || l.n || ' events stored, the table has ' || e.n
		FROM (SELECT coalesce(sum(stored), 0)::BIGINT AS n FROM page_log) l, (SELECT count(*) AS n FROM events%s) e WHERE l.n <> e.n`,
	`SELECT 'batch ' || batch || ' is of ' || count(DISTINCT run) || ' runs' FROM page_log WHERE endpoint <> 'closing check' GROUP BY batch HAVING count(DISTINCT run) > 1 ORDER BY batch`,
	`SELECT 'window ' || window_id || ' has pages, but no checkpoint' FROM page_log WHERE window_id NOT IN (SELECT window_id FROM checkpoint) ORDER BY window_id`,
}

// checkpointsOfOneWriter finds a second row of a writer. It works in files of the third schema and later.
const checkpointsOfOneWriter = `SELECT 'window ' || window_id || ' has ' || count(*) || ' checkpoints of one writer' FROM checkpoints GROUP BY window_id, writer HAVING count(*) > 1 ORDER BY window_id`

// CheckIntegrity fails with dbfile.ErrDamaged for a truncated file, and with dbfile.ErrUnsound for
// one that contradicts itself. It is cheap: Verify finds more.
func CheckIntegrity(ctx context.Context, db *sql.DB, path string, version int) error {
	if err := checkSize(ctx, db, path); err != nil {
		return dbfile.Translate(path, err)
	}
	questions, committed := contradictions, ""
	if version >= 3 {
		questions, committed = append([]string{checkpointsOfOneWriter}, questions...), " WHERE batch <> "+Uncommitted
	}
	for _, question := range questions {
		var found sql.NullString
		err := db.QueryRowContext(ctx, "SELECT any_value(f) FROM ("+strings.Replace(question, "%s", committed, 1)+" LIMIT 1) t(f)").Scan(&found)
		if err != nil {
			return dbfile.Translate(path, err)
		}
		if !found.Valid {
			continue
		}
		hint := "look with datasync verify; restore a copy, or move the file away and pull again"
		if log, err := dbfile.SizeOf(path + ".wal"); err == nil && log > 0 {
			hint = "if its .wal file was left by another file, move that away; else " + hint
		}
		return &model.FileError{Kind: dbfile.ErrUnsound, Path: path, Detail: found.String, Hint: hint}
	}
	return nil
}

// checkSize fails with dbfile.ErrDamaged if the file ends before the last block that it uses.
// DuckDB reads blocks only when it needs them, and would continue to write.
func checkSize(ctx context.Context, db *sql.DB, path string) error {
	rows, err := db.QueryContext(ctx, "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary AND NOT internal")
	if err != nil {
		return err
	}
	used := []string{"SELECT block_id AS block FROM pragma_metadata_info()"}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			_ = rows.Close()
			return err
		}
		name := duck.Quote(`"` + strings.ReplaceAll(table, `"`, `""`) + `"`)
		used = append(used, "SELECT unnest(list_append(additional_block_ids, block_id)) FROM pragma_storage_info("+name+") WHERE persistent")
	}
	if err := rows.Err(); err != nil {
		return err
	}
	const header = 3 * 4096 // before the first block
	var end int64
	err = db.QueryRowContext(ctx, fmt.Sprintf("SELECT %d + (coalesce(max(block), -1) + 1) * (SELECT block_size FROM pragma_database_size() WHERE database_name = current_database()) FROM (%s)",
		header, strings.Join(used, " UNION ALL "))).Scan(&end)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() < end {
		return &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Hint: dbfile.RestoreHint,
			Detail: fmt.Sprintf("it is cut short: it has %s and uses %s", human.Counted(info.Size(), "byte"), human.Thousands(end))}
	}
	return nil
}
