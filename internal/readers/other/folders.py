"""Reads the folders of datasync as folders, as their users do: all rows, and one by its id.

    folders.py FOLDER READER

FOLDER is that of the Go tests, with the exports and want.json.
"""
import json
import pathlib
import sys
import urllib.parse
from datetime import datetime, timezone

folder, reader = pathlib.Path(sys.argv[1]), sys.argv[2]
want = {e["id"]: e for e in json.load(open(folder / "want.json", encoding="utf-8"))}
COLUMNS = ["session_id", "user_id", "type", "name", "timestamp", "properties", "device_type", "browser", "extra"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
version = ""


def micros(value):
    if isinstance(value, datetime):
        since = value - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value


def read_polars(path, id=None):
    import polars
    if id is None:
        return polars.read_parquet(path).with_columns(polars.col("timestamp").dt.epoch("us")).to_dicts()
    return polars.scan_parquet(path).filter(polars.col("id") == id).collect().to_dicts()


def read_pandas(path, id=None):
    import pandas
    frame = pandas.read_parquet(path)
    if id is not None:
        return frame[frame["id"] == id].to_dict("records")
    frame["timestamp"] = frame["timestamp"].dt.as_unit("us").astype("int64")
    return [{k: None if pandas.isna(v) else v for k, v in row.items()} for row in frame.astype(object).to_dict("records")]


def read_pyarrow(path, id=None):
    import pyarrow.dataset
    import pyarrow.parquet
    if id is None:
        return pyarrow.parquet.read_table(path).to_pylist()
    return pyarrow.dataset.dataset(path, format="parquet", partitioning="hive").to_table(filter=pyarrow.dataset.field("id") == id).to_pylist()


def read_duckdb(path, id=None):
    import duckdb
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    where = "" if id is None else f"WHERE id = '{id}'"
    cursor = db.execute(f'''SELECT * REPLACE (epoch_us("timestamp") AS "timestamp") FROM read_parquet('{path}/**/*.parquet', hive_partitioning = true) {where}''')
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def read_datafusion(path, id=None):
    import datafusion
    context = datafusion.SessionContext()
    context.sql(f"CREATE EXTERNAL TABLE events STORED AS PARQUET LOCATION '{path}/'")
    where = "" if id is None else f"WHERE id = '{id}'"
    return context.sql(f"SELECT * FROM events {where}").to_arrow_table().to_pylist()


def read_chdb(path, id=None):
    import chdb
    where = "" if id is None else f"WHERE id = '{id}'"
    answer = chdb.query(f"SELECT * REPLACE (toUnixTimestamp64Micro(timestamp) AS timestamp) FROM file('{path}/**/*.parquet', Parquet) {where} SETTINGS output_format_json_quote_64bit_integers = 0", "JSONEachRow")
    return [json.loads(line) for line in str(answer).splitlines()]


def read_spark(path, id=None):
    from pyspark.sql import SparkSession, functions
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.parquet(path).withColumn("timestamp", functions.expr("unix_micros(timestamp)"))
    if id is not None:
        frame = frame.where(functions.col("id") == id)
    return [row.asDict() for row in frame.collect()]


READERS = {"polars": read_polars, "pandas": read_pandas, "pyarrow": read_pyarrow, "duckdb": read_duckdb,
           "datafusion": read_datafusion, "chdb": read_chdb, "spark": read_spark}
NULL = "__HIVE_DEFAULT_PARTITION__"
# What readers make of partitions, as docs/export.md says. Spark refuses one of an empty text and
# pandas one of NULL, which the folder null has.
FOLDERS = ["flat", "hive", "increments"] + ([] if reader in {"spark", "pandas"} else ["null"])


def same(column, value, wanted):
    if value == wanted:
        return True
    if reader in {"chdb", "datafusion"} and value == NULL and column == "browser":
        return wanted is None
    if reader == "chdb" and isinstance(value, str) and column in {"type", "browser"}:
        return urllib.parse.unquote(value) == wanted  # the name of the folder as it is
    # The text is taken for NULL, however it is escaped.
    return reader in {"polars", "pyarrow"} and value is None and wanted == NULL

read = READERS[reader]
for name in FOLDERS:
    path = str(folder / name)
    rows = read(path)
    assert len(rows) == len(want), f"{reader}: {name}: {len(rows)} rows, want {len(want)}"
    assert len({row["id"] for row in rows}) == len(want), f"{reader}: {name}: ids stand twice"
    for row in rows:
        wanted = want[row["id"]]
        for column in COLUMNS:
            value = micros(row[column])
            assert same(column, value, wanted[column]), f"{reader}: {name}: {column} of {row['id']} is {value!r}, want {wanted[column]!r}"
        assert row["batch"] == 1, f"{reader}: {name}: batch {row['batch']}"
    wanted = list(want.values())[len(want) // 2]
    found = read(path, wanted["id"])
    assert len(found) == 1 and found[0]["session_id"] == wanted["session_id"], f"{reader}: {name}: {len(found)} rows of the id {wanted['id']}"
    print("ok", f"{reader}: {name}/ as a folder, and a row by its id")
