package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/failpoint"
	"datasync/internal/human"
	"datasync/internal/model"
)

// Small commits leave unused blocks: each checkpoint writes the last row group of a table again, into other
// blocks. DuckDB returns unused blocks to the file system only at the end of the file. It reuses the others
// for later rows, but after a complete pull those may not come for long. Decision 024.

const (
	// unusedShare is the ratio of unused to used blocks from which a rewrite pays: a tenth.
	unusedShare = 10
	// leastUnused is the number of unused blocks, of 256 KiB, that never cause a rewrite.
	leastUnused = 4
)

// Compacted is the result of CloseAndCompact.
type Compacted struct {
	// Before and After are the file's size in bytes. They are equal if the file was not rewritten.
	Before, After int64
	// Skipped is why a file with many unused blocks was not rewritten; nil if it was, or had few. The file is
	// then as Close leaves it. It is dbfile.ErrNoRoomForCopy if the disk has too little space.
	Skipped error
}

// blocks counts the blocks of a file.
type blocks struct{ used, all, size int64 }

// wasteful reports whether a rewrite pays.
func (b blocks) wasteful() bool {
	unused := b.all - b.used
	return unused >= leastUnused && unused*unusedShare > b.used
}

// CloseAndCompact is Close at the end of a complete pull. If much of the file is unused blocks, it copies all
// tables to a new file and gives that the file's name. Until then the old file is as Close leaves it, so a
// kill at any moment leaves a complete file. It ends without a rewrite when ctx ends. Its error is that of
// Close.
func (s *Store) CloseAndCompact(ctx context.Context) (done Compacted, err error) {
	s.writeGate.Lock()
	defer s.writeGate.Unlock()
	b, errBlocks := s.countBlocks(ctx)
	if err := s.closeInstance(); err != nil {
		return done, errors.Join(err, s.unlock())
	}
	if done.Before, err = dbfile.SizeOf(s.path); err == nil && errBlocks == nil && b.wasteful() {
		done.Skipped = s.rewrite(ctx, b)
	}
	if err == nil {
		done.After, err = dbfile.SizeOf(s.path)
	}
	return done, errors.Join(dbfile.Translate(s.path, err), s.unlock())
}

// countBlocks checkpoints the log and counts the file's blocks.
func (s *Store) countBlocks(ctx context.Context) (b blocks, err error) {
	if s.failed.Load() {
		return b, errors.New("a write has failed")
	}
	failpoint.Soon("f11")
	if err := s.checkpoint(ctx); err != nil {
		return b, err
	}
	err = s.db.QueryRowContext(ctx, "SELECT used_blocks, total_blocks, block_size FROM pragma_database_size() WHERE database_name = current_database()").
		Scan(&b.used, &b.all, &b.size)
	return b, err
}

// rewrite replaces the closed file by a copy without unused blocks. If it fails, the file is as it was.
func (s *Store) rewrite(ctx context.Context, b blocks) (err error) {
	old, err := s.replaceable()
	if err != nil {
		return err
	}
	if err := dbfile.CheckRoom(s.path, b.used*b.size, s.free); err != nil {
		return err
	}
	name := dbfile.NewRewrite(s.path)
	defer func() {
		for _, left := range []string{name, name + ".wal", name + ".tmp"} {
			if errRemove := os.Remove(left); !errors.Is(errRemove, fs.ErrNotExist) {
				err = errors.Join(err, errRemove)
			}
		}
	}()
	if err := build(ctx, name, Options{ToolVersion: s.version}); err != nil {
		return err
	}
	db, err := duck.OpenInstance(ctx, name, duck.Attaching())
	if err != nil {
		return err
	}
	// While the instance is open, DuckDB's locks keep other programs from writing to either file.
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := s.copyTables(ctx, db); err != nil {
		return err
	}
	if log, err := dbfile.SizeOf(name + ".wal"); err != nil || log > 0 {
		return errors.Join(err, fmt.Errorf("the copy has a log of %s", human.Counted(log, "byte")))
	}
	if err := os.Chmod(name, old.Mode().Perm()); err != nil {
		return err
	}
	failpoint.Hit("f16")
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(name, s.path); err != nil {
		return err
	}
	failpoint.Hit("f16")
	return dbfile.SyncFolder(filepath.Dir(s.path))
}

// replaceable fails if a new file under this name would lose more than rows: another name of the file,
// its owner, or a log.
func (s *Store) replaceable() (fs.FileInfo, error) {
	now, err := os.Lstat(s.path)
	if err != nil {
		return nil, err
	}
	stat, ok := now.Sys().(*syscall.Stat_t)
	switch log, err := dbfile.SizeOf(s.path + ".wal"); {
	case err != nil:
		return nil, err
	case log > 0:
		return nil, fmt.Errorf("it has a log of %s", human.Counted(log, "byte"))
	case !now.Mode().IsRegular() || !os.SameFile(now, s.opened.file):
		return nil, errors.New("it was replaced")
	case !ok || stat.Nlink != 1:
		return nil, errors.New("it has another name, too")
	case int(stat.Uid) != os.Geteuid() || int(stat.Gid) != os.Getegid():
		return nil, errors.New("it is of another user or group")
	}
	return now, nil
}

// copyTables copies the contents of all tables to the new file that db has open, and compares the two.
func (s *Store) copyTables(ctx context.Context, db *sql.DB) error {
	settings := []string{
		// As in a pull, DuckDB then compresses whole row groups at once instead of keeping them until the commit.
		fmt.Sprintf("SET GLOBAL threads = %d", model.Writers), fmt.Sprintf("SET GLOBAL external_threads = %d", model.Writers),
		// The commit writes the file at once, not a log first.
		"SET GLOBAL checkpoint_threshold = '1KB'",
		"SET GLOBAL TimeZone = 'UTC'",
		"ATTACH " + duck.Quote(s.path) + " AS old (READ_ONLY)",
	}
	if s.memory.base > 0 {
		settings = append(settings, setMemory(s.memory.limit))
	}
	for _, setting := range settings {
		if _, err := db.ExecContext(ctx, setting); err != nil {
			return err
		}
	}
	tables, err := sameCatalog(ctx, db)
	if err != nil {
		return err
	}
	if err := copyRows(ctx, db, tables); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	for _, table := range tables {
		if err := sameRows(ctx, db, table); err != nil {
			return err
		}
	}
	return nil
}

// copyRows copies the rows of the tables in one transaction.
func copyRows(ctx context.Context, db *sql.DB, tables []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for i, table := range tables {
		// The order of the rows counts in all tables but events.
		for _, statement := range []string{
			fmt.Sprintf("SET GLOBAL preserve_insertion_order = %v", table != "events"),
			"DELETE FROM main." + quoteName(table),
			"INSERT INTO main." + quoteName(table) + " BY NAME SELECT * FROM old.main." + quoteName(table),
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("copy table %s: %w", table, err)
			}
		}
		if i == 0 {
			failpoint.Hit("f16")
		}
	}
	return tx.Commit()
}

// sameRows fails unless a table has the same rows in both files.
func sameRows(ctx context.Context, db *sql.DB, table string) error {
	var columns string
	err := db.QueryRowContext(ctx, `SELECT string_agg('"' || replace(column_name, '"', '""') || '"', ', ') FROM duckdb_columns() WHERE database_name = 'old' AND table_name = ?`, table).Scan(&columns)
	if err != nil {
		return err
	}
	var rows, sums [2]string
	for i, database := range []string{"old.main.", "main."} {
		err := db.QueryRowContext(ctx, "SELECT count(*)::VARCHAR, coalesce(sum(hash("+columns+")::HUGEINT), 0)::VARCHAR FROM "+database+quoteName(table)).Scan(&rows[i], &sums[i])
		if err != nil {
			return err
		}
	}
	if rows[0] != rows[1] || sums[0] != sums[1] {
		return fmt.Errorf("table %s has %s rows, its copy %s: they differ", table, rows[0], rows[1])
	}
	return nil
}

// catalog lists everything in a database except rows. For a view it lists the sorted words, because DuckDB
// prints the names in EXCLUDE in any order.
const catalog = `SELECT kind || ' ' || text FROM (
	SELECT 'format' AS kind, coalesce(tags['storage_version'], '')::VARCHAR AS text FROM duckdb_databases() WHERE database_name = $1
	UNION ALL SELECT 'schema', schema_name FROM duckdb_schemas() WHERE database_name = $1 AND NOT internal AND schema_name <> 'main'
	UNION ALL SELECT 'table', concat_ws(' ', schema_name, table_name, sql, comment) FROM duckdb_tables() WHERE database_name = $1 AND NOT internal
	UNION ALL SELECT 'column', concat_ws(' ', table_name, column_index, column_name, data_type, column_default, is_nullable, comment) FROM duckdb_columns() WHERE database_name = $1 AND NOT internal
	UNION ALL SELECT 'view', concat_ws(' ', schema_name, view_name, list_sort(string_split_regex(sql, '[ ,()]+'))::VARCHAR, comment) FROM duckdb_views() WHERE database_name = $1 AND NOT internal
	UNION ALL SELECT 'index', concat_ws(' ', table_name, index_name, sql) FROM duckdb_indexes() WHERE database_name = $1
	UNION ALL SELECT 'sequence', sequence_name FROM duckdb_sequences() WHERE database_name = $1
	UNION ALL SELECT 'type', type_name FROM duckdb_types() WHERE database_name = $1 AND NOT internal
	UNION ALL SELECT 'macro', function_name FROM duckdb_functions() WHERE database_name = $1 AND NOT internal
) ORDER BY ALL`

// sameCatalog returns the tables of the old file. It fails unless the new file has the same tables and views,
// in the same format. A user may have added some, or an older version may have created the file.
func sameCatalog(ctx context.Context, db *sql.DB) (tables []string, err error) {
	var name string
	if err := db.QueryRowContext(ctx, "SELECT current_database()").Scan(&name); err != nil {
		return nil, err
	}
	var both [2][]string
	for i, database := range []string{"old", name} {
		if both[i], err = readColumn(ctx, db, catalog, database); err != nil {
			return nil, err
		}
	}
	for i, line := range both[0] {
		if i >= len(both[1]) || both[1][i] != line {
			return nil, fmt.Errorf("it has something that datasync does not create, or another format: %.60s", line)
		}
	}
	if len(both[0]) != len(both[1]) {
		return nil, errors.New("it has less than datasync creates")
	}
	return readColumn(ctx, db, "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND NOT internal ORDER BY table_name", "old")
}

// readColumn returns a query's only column.
func readColumn(ctx context.Context, db *sql.DB, query, arg string) (found []string, err error) {
	rows, err := db.QueryContext(ctx, query, arg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		found = append(found, text)
	}
	return found, rows.Err()
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
