"""Trino."""
import json
import os
import re
import urllib.request

import hostile
import servers
from questions import COLUMNS, local, named, plain, printed

# The columns of the queries that return instants, with their offsets.
INSTANTS = {"events_per_hour": "to_iso8601(hour), type, events", "error_rate": "to_iso8601(period), errors, events, error_rate"}


def ask(url, sql, zone="UTC"):
    """The rows of a statement. Instants of UTC have the form of the file's answers."""
    headers = {"X-Trino-User": "engines", "X-Trino-Time-Zone": zone, "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"}
    request, columns, rows = urllib.request.Request(url + "/v1/statement", data=sql.encode(), headers=headers), [], []
    while True:
        with urllib.request.urlopen(request, timeout=300) as answer:
            page = json.load(answer)
        if "error" in page:
            raise RuntimeError(page["error"]["message"] + "\n" + sql)
        columns = page.get("columns", columns)
        rows += page.get("data", [])
        if "nextUri" not in page:
            return [[instant(v) if c["type"].endswith("with time zone") else v for v, c in zip(r, columns)] for r in rows]
        request = page["nextUri"]


def instant(text):
    """An instant of UTC, 2026-01-20 10:00:00.000000 UTC, in the form of ISO 8601."""
    if text is None or not text.endswith(" UTC"):
        return text
    return text.removesuffix(" UTC").replace(" ", "T") + "Z"


def check(file, report):
    with servers.Trino(os.environ["TRINO_HOME"], os.environ["TRINO_JAVA"], file.folder, file.weed) as trino:
        events = "lake." + file.table
        nulls = ", ".join(f'count(*) - count("{name}")' for name in COLUMNS)
        text = 'to_iso8601(%s("timestamp"))'

        def figures():
            got = ask(trino.url, f"SELECT count(*), count(DISTINCT id), sum(batch), {text % 'min'}, {text % 'max'}, {nulls} FROM {events}")[0]
            return [*got[:3], *(since_1970(t) for t in got[3:5]), *got[5:]]

        report.compare("figures", file.figures(), figures())
        columns = ", ".join('to_iso8601("timestamp")' if name == "timestamp" else f'CAST("{name}" AS varchar)' for name in COLUMNS)
        place = COLUMNS.index("timestamp")
        for want in file.some(20):
            rows = ask(trino.url, f"SELECT {columns} FROM {events} WHERE id = '{want[0]}'")
            report.compare("id " + want[0], [want], [[*r[:place], str(since_1970(r[place])), *r[place + 1:]] for r in rows])
        day = "\"timestamp\" >= TIMESTAMP '2026-01-20 00:00:00 UTC' AND \"timestamp\" < TIMESTAMP '2026-01-21 00:00:00 UTC'"
        report.compare("a day", file.day(), ask(trino.url, f"SELECT count(*) FROM {events} WHERE {day}")[0][0])
        schema, table = file.table.split(".")
        files = ask(trino.url, f'SELECT count(DISTINCT "$path") FROM {events} WHERE {day}')[0][0]
        everything = ask(trino.url, f'SELECT count(*) FROM lake.{schema}."{table}$files"')[0][0]
        plan = ask(trino.url, f"EXPLAIN ANALYZE SELECT count(*) FROM {events} WHERE {day}")[0][0]
        splits = int(re.search(r"Splits: (\d+)", plan).group(1)) if "Splits: " in plan else files
        report.compare(f"a day reads few files ({files} of {everything}, {splits} splits)", True, files * 10 <= everything and splits * 10 <= everything)
        snapshot = ask(trino.url, f'SELECT snapshot_id FROM lake.{schema}."{table}$snapshots" ORDER BY committed_at LIMIT 1')[0][0]
        report.compare("an earlier snapshot", file.first, ask(trino.url, f"SELECT count(*) FROM {events} FOR VERSION AS OF {snapshot}")[0][0])
        for zone, name, options in named():
            sql, want = printed(file.datasync, "trino", events, zone, name, options), local(file.datasync, file.database, zone, name, options)
            if zone != "UTC" and name in INSTANTS:  # the text of an instant has no offset, and there are two hours of one name
                got, want = [[plain(v) for v in r] for r in ask(trino.url, f"SELECT {INSTANTS[name]} FROM ({sql})", zone)], sorted(want)
                got.sort()  # the subquery has no order
            else:
                got = [[plain(v) for v in r] for r in ask(trino.url, sql, zone)]
            report.compare(f"{name} {options} in {zone}", want, got)
        file.compacted(report, lambda: ask(trino.url, f"ALTER TABLE {events} EXECUTE optimize"), figures)


def since_1970(text):
    """The microseconds of an ISO instant."""
    return hostile.micros(text.replace("Z", "+00:00"))
