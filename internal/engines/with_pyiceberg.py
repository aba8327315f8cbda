"""PyIceberg."""
import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog

from questions import COLUMNS
from servers import KEY, SECRET


def catalog(weed):
    return load_catalog("lake", **{"type": "rest", "uri": weed.rest, "warehouse": weed.warehouse, "credential": f"{KEY}:{SECRET}", "oauth2-server-uri": weed.tokens,
                                   "s3.endpoint": weed.s3, "s3.access-key-id": KEY, "s3.secret-access-key": SECRET, "s3.region": "us-east-1"})


def texts(rows):
    return [[None if v is None else str(v) for v in row] for row in rows]


def check(file, report):
    table = catalog(file.weed).load_table(file.table)
    data = table.scan().to_arrow()
    at = pc.cast(data["timestamp"], "int64")
    report.compare("figures", file.figures(), [len(data), pc.count_distinct(data["id"]).as_py(), pc.sum(data["batch"]).as_py(),
                                               pc.min(at).as_py(), pc.max(at).as_py(), *(data[c].null_count for c in COLUMNS)])
    for want in file.some(20):
        got = table.scan(row_filter=f"id = '{want[0]}'").to_arrow().select(COLUMNS)
        got = got.set_column(COLUMNS.index("timestamp"), "timestamp", pc.cast(got["timestamp"], "int64"))
        report.compare("id " + want[0], [want], texts(zip(*(c.to_pylist() for c in got.columns))))
    day = table.scan(row_filter="timestamp >= '2026-01-20T00:00:00+00:00' and timestamp < '2026-01-21T00:00:00+00:00'")
    files, everything = len(list(day.plan_files())), len(list(table.scan().plan_files()))
    report.compare("a day", file.day(), day.to_arrow().num_rows)
    report.compare(f"a day reads few files ({files} of {everything})", True, files * 10 <= everything)
    report.compare("an earlier snapshot", file.first, table.scan(snapshot_id=table.history()[0].snapshot_id).count())
