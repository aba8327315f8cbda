package query_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/query"
)

// hostile are statements that try to read or write another file, to open a connection, or to undo
// the settings that prevent it. DIR is a folder with a file "secret" and a database "other.duckdb".
// PORT is a port of this machine with a listener.
const hostile = `
COPY (SELECT 1) TO 'DIR/out.csv'
COPY (SELECT 1) TO 'DIR/out.parquet' (FORMAT parquet)
COPY (SELECT 1) TO 'DIR/out.json' (FORMAT json)
COPY (SELECT 1) TO '/dev/stdout'
COPY (SELECT 1) TO '/dev/stderr' (FORMAT csv)
COPY (SELECT 1) TO '/proc/self/fd/1'
COPY events TO 'DIR/secret'
COPY events TO 'PATH'
COPY events TO 'PATH.wal'
COPY events TO 'PATH.tmp'
COPY events TO 'PATH.lock'
COPY events TO 'PATH.checkpoint.wal'
COPY events TO 'PATH.wal' (FORMAT csv, USE_TMP_FILE false)
EXPLAIN ANALYZE COPY events TO 'PATH.wal'
PREPARE p AS COPY events TO 'PATH.wal'; EXECUTE p
SELECT * FROM read_text('PATH.wal')
SELECT * FROM read_csv('PATH.wal')
ATTACH 'PATH.wal' AS again
COPY (SELECT 1 AS a, 2 AS b) TO 'DIR/tree' (FORMAT csv, PARTITION_BY (a))
COPY events FROM 'DIR/secret'
COPY FROM DATABASE a TO b
EXPORT DATABASE 'DIR/out'
IMPORT DATABASE 'DIR'
SELECT * FROM 'DIR/secret'
SELECT * FROM 'DIR/secret.csv'
SELECT * FROM read_csv('DIR/secret')
SELECT * FROM read_csv_auto('DIR/secret')
SELECT * FROM read_csv(['DIR/secret'])
SELECT * FROM sniff_csv('DIR/secret')
SELECT * FROM read_text('DIR/secret')
SELECT * FROM read_text('DIR/*')
SELECT * FROM read_text('../secret')
SELECT * FROM read_text('file://DIR/secret')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_text('/proc/self/environ')
SELECT * FROM read_blob('DIR/secret')
SELECT * FROM read_blob('/proc/self/mem')
SELECT * FROM read_blob('PATH')
SELECT * FROM read_json('DIR/secret')
SELECT * FROM read_json_auto('DIR/secret')
SELECT * FROM read_json_objects('DIR/secret')
SELECT * FROM read_ndjson('DIR/secret')
SELECT * FROM read_ndjson_objects('DIR/secret')
SELECT * FROM read_parquet('DIR/secret')
SELECT * FROM parquet_scan('DIR/secret')
SELECT * FROM parquet_metadata('DIR/secret')
SELECT * FROM parquet_schema('DIR/secret')
SELECT * FROM parquet_file_metadata('DIR/secret')
SELECT * FROM parquet_kv_metadata('DIR/secret')
SELECT * FROM parquet_bloom_probe('DIR/secret', 'a', 1)
SELECT * FROM read_duckdb('DIR/other.duckdb')
SELECT * FROM glob('DIR/*')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('~/*')
SELECT * FROM query('SELECT * FROM read_text(''DIR/secret'')')
SELECT * FROM query_table('DIR/secret')
SELECT (SELECT content FROM read_text('DIR/secret'))
WITH a AS MATERIALIZED (FROM read_text('DIR/secret')) FROM a
CREATE TEMP VIEW v AS FROM read_text('DIR/secret'); FROM v
CREATE TEMP TABLE v AS FROM read_text('DIR/secret')
CREATE TEMP MACRO m(f) AS TABLE FROM read_text(f); FROM m('DIR/secret')
PREPARE p AS FROM read_text($1); EXECUTE p('DIR/secret')
PIVOT (FROM read_text('DIR/secret')) ON filename USING count(*)
EXPLAIN ANALYZE FROM read_text('DIR/secret')
SUMMARIZE (FROM read_text('DIR/secret'))
DESCRIBE FROM read_csv('DIR/secret')
SELECT getenv('HOME')
SELECT * FROM getvariable('HOME')
ATTACH 'DIR/other.duckdb' AS other
ATTACH 'DIR/other.duckdb' AS other (READ_ONLY)
ATTACH 'DIR/new.duckdb' AS new
ATTACH 'PATH' AS again
ATTACH 'http://127.0.0.1:PORT/a.duckdb' AS web
ATTACH 'DIR/a.db' AS lite (TYPE sqlite)
ATTACH 'host=127.0.0.1 port=PORT' AS pg (TYPE postgres)
ATTACH ':memory:' AS m; COPY (SELECT 1) TO 'DIR/out.csv'
DETACH a
USE nowhere
SELECT * FROM read_csv('http://127.0.0.1:PORT/a.csv')
SELECT * FROM read_text('https://127.0.0.1:PORT/a')
SELECT * FROM read_parquet('s3://bucket/a.parquet')
SELECT * FROM 'http://127.0.0.1:PORT/a.json'
COPY (SELECT 1) TO 'http://127.0.0.1:PORT/a.csv'
INSTALL httpfs
INSTALL httpfs FROM 'http://127.0.0.1:PORT'
INSTALL 'DIR/secret'
FORCE INSTALL httpfs FROM community
LOAD httpfs
LOAD 'DIR/secret'
UPDATE EXTENSIONS
SET enable_external_access = true
SET GLOBAL enable_external_access = true
RESET enable_external_access
SET lock_configuration = false
RESET lock_configuration
SET allowed_paths = ['/']
SET allowed_directories = ['/']
SET access_mode = 'read_write'
SET temp_directory = 'DIR/tmp'
SET home_directory = 'DIR'
SET extension_directory = 'DIR'
SET secret_directory = 'DIR'
SET file_search_path = 'DIR'
SET log_query_path = 'DIR/log'
SET profiling_output = 'DIR/profile'
SET custom_extension_repository = 'http://127.0.0.1:PORT'
SET autoinstall_known_extensions = true
SET allow_unsigned_extensions = true
SET allow_community_extensions = true
SET memory_limit = '100GB'
SET TimeZone = 'UTC'
PRAGMA profiling_output = 'DIR/profile'
PRAGMA enable_logging
PRAGMA enable_profiling
PRAGMA enable_profile
PRAGMA disable_profiling
PRAGMA enable_progress_bar
PRAGMA enable_print_progress_bar
PRAGMA enable_verification
PRAGMA disable_checkpoint_on_shutdown
PRAGMA force_checkpoint
CALL enable_logging(storage = 'file', storage_path = 'DIR/log')
CALL enable_logging(storage = 'stdout')
FROM enable_logging(storage = 'stdout')
SELECT * FROM system.main."ENABLE_logging" /* */ ('QueryLog')
CALL enable_profiling()
FROM enable_profiling(save_location = 'DIR/profile')
FROM query('FROM enable_' || 'logging(storage = ''file'', storage_path = ''DIR/log'')')
FROM query('FROM enable_' || 'profiling(save_location = ''DIR/profile'')'); SELECT 1
CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')
DROP SECRET s
INSERT INTO meta VALUES ('a', 'b')
UPDATE meta SET value = 'b'
DELETE FROM events
TRUNCATE events
MERGE INTO meta USING (SELECT 'a' AS key) s USING (key) WHEN NOT MATCHED THEN INSERT VALUES ('a', 'b')
DROP TABLE events
DROP VIEW events_flat
DROP SCHEMA main CASCADE
ALTER TABLE events ADD COLUMN x INT
ALTER TABLE events RENAME TO gone
CREATE TABLE t (a INT)
CREATE TABLE t AS SELECT 1
CREATE OR REPLACE TABLE events AS SELECT 1
CREATE VIEW v AS SELECT 1
CREATE INDEX i ON events (id)
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TYPE e AS ENUM ('a')
CREATE MACRO f() AS 1
CREATE FUNCTION f() AS 1
COMMENT ON TABLE events IS 'x'
SELECT 1; DROP TABLE events
SELECT 1;; ; DELETE FROM meta
/* */ DROP TABLE events -- SELECT
BEGIN; INSERT INTO meta VALUES ('a', 'b'); COMMIT
BEGIN TRANSACTION READ WRITE; INSERT INTO meta VALUES ('a', 'b')
SELECT nextval('s')
SELECT * FROM write_blob('DIR/out', 'x')
SELECT * FROM write_log('x', 'DIR/log')
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_secrets(); COPY (SELECT 1) TO 'DIR/out.csv'
SELECT * FROM postgres_scan('host=127.0.0.1 port=PORT', 'a', 'b')
SELECT * FROM sqlite_scan('DIR/other.duckdb', 'a')
SELECT * FROM st_read('DIR/secret')
SELECT * FROM delta_scan('DIR')
SELECT * FROM iceberg_scan('DIR')
FROM pg_read_file('DIR/secret')
SELECT pg_read_file('DIR/secret')
.read DIR/secret
.shell touch DIR/out
`

// harmless are statements of the same kinds that may succeed: their effects end with the session.
const harmless = `
CHECKPOINT
FORCE CHECKPOINT
ANALYZE
BEGIN; SELECT 1; ROLLBACK
CREATE TEMP TABLE x AS SELECT 1
CREATE TEMP VIEW y AS SELECT 1
CREATE TEMP MACRO z() AS 1
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SET VARIABLE v = 1
VACUUM ANALYZE events
CREATE SECRET s (TYPE http, BEARER_TOKEN 'x')
CALL truncate_duckdb_logs()
PRAGMA version
PRAGMA database_size
PRAGMA table_info('events')
PRAGMA show_tables
PRAGMA storage_info('events')
PRAGMA platform
PRAGMA user_agent
PRAGMA collations
CALL pragma_version()
SELECT 1 AS enable_logging ORDER BY (enable_logging)
SELECT 'enable_logging(' -- enable_logging(
FROM query('FROM enable_' || 'logging(storage = ''stdout'')')
`

// TestHostileStatements: statements, each in a session of its own, change no file, open no
// connection, and return no secret.
func TestHostileStatements(t *testing.T) {
	path, folder := file(t), t.TempDir()
	const secret = "ds_test_secret_of_a_file"
	for name, text := range map[string]string{"secret": secret, "secret.csv": secret} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "other.duckdb"), other, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, calls := listen(t)
	t.Chdir(folder)
	before := snapshot(t, folder, filepath.Dir(path))
	fill := strings.NewReplacer("DIR", folder, "PATH", path, "PORT", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	refused := strings.Split(strings.TrimSpace(hostile), "\n")
	if len(refused) < 100 {
		t.Errorf("only %d statements", len(refused))
	}
	for _, text := range append(refused, strings.Split(strings.TrimSpace(harmless), "\n")...) {
		var b bytes.Buffer
		err := runAlone(t, path, fill.Replace(text), &b)
		if (err == nil) != !slices.Contains(refused, text) {
			t.Errorf("%s: %v: %s", text, err, b.String())
		}
		if strings.Contains(b.String(), secret) || err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s gives the secret", text)
		}
		if after := snapshot(t, folder, filepath.Dir(path)); after != before {
			t.Fatalf("%s has changed\n%s to\n%s", text, before, after)
		}
	}
	select {
	case <-calls:
		t.Error("somebody was called")
	default:
	}
}

// runAlone runs the SQL in a session of its own.
func runAlone(t *testing.T, path, text string, b *bytes.Buffer) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // so that none hangs
	defer cancel()
	s, err := inspect.OpenSession(ctx, path, inspect.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	return query.Run(ctx, s, query.Options{SQL: text, Format: query.CSV}, b)
}

// listen listens on a port of this machine and sends what it receives to calls.
func listen(t *testing.T) (net.Listener, <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	calls := make(chan struct{}, 1)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
			select {
			case calls <- struct{}{}:
			default:
			}
		}
	}()
	return listener, calls
}

// snapshot describes all files of the folders.
func snapshot(t *testing.T, folders ...string) string {
	t.Helper()
	var b strings.Builder
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				fmt.Fprintln(&b, path, err)
				return err
			}
			content, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(content))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestQueryTooLargeForMemory: a query that exceeds the memory limit fails and does not spill to disk.
func TestQueryTooLargeForMemory(t *testing.T) {
	path := file(t)
	before := snapshot(t, filepath.Dir(path))
	s, err := inspect.OpenSession(t.Context(), path, inspect.ReadOptions{MemoryLimit: "64MB"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	err = query.Run(t.Context(), s, query.Options{SQL: "SELECT count(*) FROM (SELECT range, md5(range::VARCHAR) AS m FROM range(5000000) ORDER BY m)", Format: query.CSV}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "emory") {
		t.Errorf("%v", err)
	}
	if after := snapshot(t, filepath.Dir(path)); after != before {
		t.Errorf("left: %s", after)
	}
}
