"""DuckDB's extension iceberg, by the path of the metadata file."""
import duckdb

from questions import COLUMNS
from servers import KEY, SECRET


def load(connection, *names):
    """Loads extensions from their packages."""
    for name in names:
        connection.execute(f"LOAD {name}") if built_in(connection, name) else connection.load_extension(path(name))


def built_in(connection, name):
    return connection.execute("SELECT count(*) FROM duckdb_extensions() WHERE extension_name = ? AND loaded", [name]).fetchone()[0] > 0


def path(name):
    import glob
    import importlib
    import os
    folder = os.path.dirname(importlib.import_module("duckdb_extension_" + name).__file__)
    return glob.glob(folder + "/extensions/**/*.duckdb_extension", recursive=True)[0]


def check(file, report):
    with duckdb.connect() as c:
        load(c, "httpfs", "avro", "iceberg", "icu")
        c.execute("SET TimeZone = 'UTC'")
        c.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION 'us-east-1', ENDPOINT '{file.weed.s3.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false)")
        c.execute(f"CREATE VIEW events AS FROM iceberg_scan('{file.result['events']['metadata']}')")
        nulls = ", ".join(f'count(*) - count("{name}")' for name in COLUMNS)
        report.compare("figures", file.figures(), list(c.execute(
            f'SELECT count(*), count(DISTINCT id), sum(batch), epoch_us(min("timestamp")), epoch_us(max("timestamp")), {nulls} FROM events').fetchone()))
        columns = ", ".join('epoch_us("timestamp")::VARCHAR' if name == "timestamp" else f'"{name}"::VARCHAR' for name in COLUMNS)
        for want in file.some(20):
            report.compare("id " + want[0], [want], [list(r) for r in c.execute(f"SELECT {columns} FROM events WHERE id = ?", [want[0]]).fetchall()])
        report.compare("a day", file.day(), c.execute(
            "SELECT count(*) FROM events WHERE \"timestamp\" >= '2026-01-20T00:00:00Z' AND \"timestamp\" < '2026-01-21T00:00:00Z'").fetchone()[0])
