"""check.py FOLDER WEED ENGINE...: exports a file of FOLDER's datasync and compares each engine with it."""
import importlib
import json
import os
import subprocess
import sys
import time

import duckdb

import hostile
import servers
from questions import COLUMNS, Report

EVENTS = 100_000  # demo events, in addition to the hostile ones


class File:
    """The file, its answers, and the table exported from it."""

    def __init__(self, folder, weed):
        self.datasync, self.database, self.weed = os.path.join(folder, "datasync"), os.path.join(folder, "a.duckdb"), weed
        self.folder, self.table = folder, "web.events"

    def pull(self, events):
        subprocess.run([self.datasync, "pull", "--quiet", "--demo", "--demo-events", str(events), "--db", self.database], check=True)
        with duckdb.connect(self.database) as c:
            hostile.add(c)

    def grow(self):
        """Adds a batch that the closing check has checked."""
        with duckdb.connect(self.database) as c:
            batch = int(c.execute("SELECT value FROM meta WHERE key = 'checked_batch'").fetchone()[0]) + 1
            hostile.add(c, batch, seed=batch)
            c.execute("UPDATE meta SET value = ? WHERE key = 'checked_batch'", [str(batch)])

    def export(self):
        command = [self.datasync, "export", "--iceberg", self.table, "--catalog", self.weed.catalog, "--endpoint", self.weed.s3, "--db", self.database, "--json"]
        out = subprocess.run(command, check=True, capture_output=True, text=True, env=self.weed.environ())
        print(out.stderr.strip())
        self.result = json.loads(out.stdout)

    def compacted(self, report, compact, figures):
        """Compares the figures of an engine after it has compacted the table, and after another export."""
        compact()
        report.compare("figures after a compaction", self.figures(), figures())
        self.grow()
        self.export()
        report.compare("figures after a compaction and an export", self.figures(), figures())

    def ask(self, sql):
        with duckdb.connect(self.database, read_only=True) as c:
            return c.execute(sql).fetchall()

    def figures(self):
        """Rows, distinct ids, sum of batches, first and last microsecond, and the nulls of each column."""
        nulls = ", ".join(f'count(*) - count("{name}")' for name in COLUMNS)
        return list(self.ask(f'SELECT count(*), count(DISTINCT id), sum(batch), epoch_us(min("timestamp")), epoch_us(max("timestamp")), {nulls} FROM events')[0])

    def some(self, n):
        """Rows of n events, as texts, with the timestamp in microseconds."""
        columns = ", ".join('epoch_us("timestamp")::VARCHAR' if c == "timestamp" else f'"{c}"::VARCHAR' for c in COLUMNS)
        return [list(r) for r in self.ask(f"SELECT {columns} FROM (FROM events ORDER BY hash(id) LIMIT {n})")]

    def day(self):
        """The number of events of one day."""
        return self.ask("SELECT count(*) FROM events WHERE \"timestamp\" >= '2026-01-20T00:00:00Z' AND \"timestamp\" < '2026-01-21T00:00:00Z'")[0][0]


def main(folder, program, *engines):
    with servers.Weed(program, folder) as weed:
        file = File(folder, weed)
        file.pull(EVENTS)
        file.export()
        file.first = file.figures()[0]  # rows of the first snapshot
        file.grow()
        file.export()
        failed = 0
        for name in engines:
            began, report = time.monotonic(), Report(name)
            try:
                importlib.import_module("with_" + name).check(file, report)
            except Exception as e:  # the other engines still run
                report.different += 1
                print(f"!! {name}: {type(e).__name__}: {str(e)[:1500]}")
            print(f"{name}: {report.same} answers as in the file, {report.different} not, in {time.monotonic() - began:.0f} s", flush=True)
            failed += report.different
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
