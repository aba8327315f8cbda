"""ClickHouse in a process, by the path of the table."""
import json

import chdb

from questions import COLUMNS
from servers import KEY, SECRET


def check(file, report):
    location = file.result["events"]["location"].removeprefix("s3://")
    events = f"icebergS3('{file.weed.s3}/{location}/', '{KEY}', '{SECRET}')"
    settings = " SETTINGS s3_truncate_on_insert = 0, output_format_json_quote_64bit_integers = 0"

    def ask(sql):
        return [list(r) for r in json.loads(str(chdb.query(sql + settings, "JSONCompact")))["data"]]

    nulls = ", ".join(f"count() - count(`{name}`)" for name in COLUMNS)
    at = "toUnixTimestamp64Micro(`timestamp`)"
    report.compare("figures", file.figures(), ask(f"SELECT count(), uniqExact(id), sum(batch), min({at}), max({at}), {nulls} FROM {events}")[0])
    columns = ", ".join(f"toString({at})" if name == "timestamp" else f"toString(`{name}`)" for name in COLUMNS)
    for want in file.some(20):
        report.compare("id " + want[0], [want], ask(f"SELECT {columns} FROM {events} WHERE id = '{want[0]}'"))
    report.compare("a day", file.day(), ask(
        f"SELECT count() FROM {events} WHERE `timestamp` >= toDateTime64('2026-01-20 00:00:00', 6, 'UTC') AND `timestamp` < toDateTime64('2026-01-21 00:00:00', 6, 'UTC')")[0][0])
