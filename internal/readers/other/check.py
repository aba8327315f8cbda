"""Reads back what datasync wrote, by pyarrow, DuckDB's Python package and DuckDB's CLI.

    check.py FOLDER DUCKDB

FOLDER is that of the Go tests, with the exports and want.json; DUCKDB is the CLI.
"""
import csv
import io
import json
import pathlib
import subprocess
import sys
import uuid
from datetime import datetime, timedelta, timezone

import duckdb
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

folder, cli = pathlib.Path(sys.argv[1]), sys.argv[2]
want = {e["id"]: e for e in json.load(open(folder / "want.json", encoding="utf-8"))}
COLUMNS = ["session_id", "user_id", "type", "name", "timestamp", "properties", "device_type", "browser", "extra"]
UUIDS = {"id", "session_id", "user_id"}  # which pyarrow's datasets give as their 16 bytes in logical files
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def compare(what, rows, ordered=False, null=None):
    """Compares rows, as dicts, with what they should be. The text null may be read as None."""
    rows = list(rows)
    assert len(rows) == len(want), f"{what}: {len(rows)} rows, want {len(want)}"
    last = None
    for row in rows:
        row = {name: str(uuid.UUID(bytes=value)) if name in UUIDS and isinstance(value, bytes) else plain(value) for name, value in row.items()}
        wanted = want[row["id"]]
        for column in COLUMNS:
            assert row[column] == wanted[column] or row[column] is None and wanted[column] == null is not None, f"{what}: {column} of {row['id']} is {row[column]!r}, want {wanted[column]!r}"
        assert row["batch"] == 1, f"{what}: batch {row['batch']}"
        assert not ordered or last is None or last <= row["timestamp"], f"{what}: the rows do not ascend in time"
        last = row["timestamp"]
    assert len({str(row["id"]) for row in rows}) == len(want), f"{what}: ids stand twice"
    print("ok", what)


def plain(value):
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, bytes):
        return value.decode()
    return value


FILES = ["zstd", "snappy", "gzip", "lz4", "brotli", "none", "logical"]
HIVES = ["hive", "null", "increments", "logical"]
for name in FILES:
    table = pyarrow.parquet.read_table(folder / f"{name}.parquet")
    assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]", table.schema
    assert str(table.schema.field("id").type) == ("extension<arrow.uuid>" if name == "logical" else "string"), table.schema
    compare(f"pyarrow {pyarrow.__version__}: {name}.parquet", table.to_pylist(), True)
for name in HIVES:
    text = pyarrow.schema([(part, pyarrow.string()) for part in {"hive": ["day", "type"], "null": ["browser"], "increments": ["type"], "logical": ["day"]}[name]])
    data = pyarrow.dataset.dataset(folder / name, format="parquet", partitioning=pyarrow.dataset.partitioning(text, flavor="hive"))
    compare(f"pyarrow {pyarrow.__version__}: {name}/", data.to_table().to_pylist(), null="__HIVE_DEFAULT_PARTITION__")

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")


def rows_of(connection, relation):
    # The driver's own datetimes know zones that need another package: microseconds do not.
    cursor = connection.execute(f'SELECT * REPLACE (epoch_us("timestamp") AS "timestamp") FROM {relation}')
    names = [d[0] for d in cursor.description]
    return (dict(zip(names, row)) for row in cursor.fetchall())


for name in FILES:
    compare(f"DuckDB {duckdb.__version__}: {name}.parquet", rows_of(db, f"read_parquet('{folder / name}.parquet')"), True)
for name in HIVES:
    compare(f"DuckDB {duckdb.__version__}: {name}/", rows_of(db, f"read_parquet('{folder / name}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)"))
with duckdb.connect(str(folder / "datasync.duckdb"), read_only=True) as file:
    compare(f"DuckDB {duckdb.__version__}: datasync.duckdb", rows_of(file, "events"))


def from_cli(what, relation, *database):
    query = f'SELECT to_json(e) AS e FROM (SELECT * REPLACE (epoch_us("timestamp") AS "timestamp", properties::VARCHAR AS properties, extra::VARCHAR AS extra) FROM {relation}) e'
    out = subprocess.run([cli, *database, "-csv", "-noheader", "-c", query], check=True, capture_output=True, encoding="utf-8").stdout
    csv.field_size_limit(1 << 30)
    compare(what, [json.loads(record[0]) for record in csv.reader(io.StringIO(out, newline=""))])


version = subprocess.run([cli, "--version"], check=True, capture_output=True, encoding="utf-8").stdout.split()[0]
from_cli(f"DuckDB CLI {version}: zstd.parquet", f"read_parquet('{folder}/zstd.parquet')")
from_cli(f"DuckDB CLI {version}: hive/", f"read_parquet('{folder}/hive/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)")
from_cli(f"DuckDB CLI {version}: datasync.duckdb", "events", "-readonly", str(folder / "datasync.duckdb"))
