"""The questions for every engine, and the comparison of its answers with the file's."""
import itertools
import json
import re
import subprocess

COLUMNS = ["id", "session_id", "user_id", "type", "name", "timestamp", "properties", "device_type", "browser", "extra", "batch"]

# The named queries with their parameters.
NAMED = [["events_per_hour"], ["events_per_hour", "limit=3"], ["error_rate"], ["error_rate", "by=hour", "errors=error,'a, b','-- x\n;'"], ["daily_active_users"],
         ["sessions"], ["sessions", "gap=30m"], ["sessions", "gap=1d"], ["sessions", "gap=1500us", "since=2025-10-26", "until=2026-03-09"],
         ["funnel"], ["funnel", "within=1d"], ["funnel", "within=24h", "since=2025-10-20"], ["funnel", "within=2mo"],
         ["funnel", "steps=page_view,page_view,'a, b',error,click,purchase", "within=90m"], ["funnel", "steps=nothing,click"],
         ["funnel", "steps='it\\'s \\\\ ${env:HOME} \U0001F600',page_view"],
         ["retention"], ["retention", "days=3", "since=2026-01-19", "until=2026-01-22"], ["retention", "days=20000", "limit=25000"],
         ["top_pages", "limit=all"], ["top_pages", "type=it's \\ ${env:HOME} \U0001F600"], ["devices"], ["browsers", "since=2025-10-26T01:00:00.123456Z"],
         ["browsers", "since=infinity"], ["browsers", "until=-infinity"]]
ZONES = {"UTC": NAMED, "Europe/Berlin": NAMED[2:5] + NAMED[7:8] + NAMED[10:12],
         "America/Sao_Paulo": NAMED[:1] + NAMED[2:6], "Australia/Lord_Howe": NAMED[:1] + NAMED[3:4]}


def named():
    """Yields (zone, name, options) of each question."""
    for zone, questions in ZONES.items():
        for name, *params in questions:
            yield zone, name, [text for param in params for text in ("--param", param)]


def printed(datasync, dialect, table, zone, name, options):
    """The SQL of a named query, without its semicolon."""
    command = [datasync, "query", "--named", name, "--print", "--dialect", dialect, "--table", table, "--timezone", zone, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.rstrip().removesuffix(";")


def local(datasync, database, zone, name, options):
    """The rows of a named query on the file, as texts."""
    command = [datasync, "query", "--db", database, "--named", name, "--timezone", zone, "--format", "json", *options]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [[plain(v if v is None or isinstance(v, str) else json.dumps(v)) for v in row.values()] for row in json.loads(out)]


def plain(value):
    """A cell in one form: numbers as floats, instants of whole seconds without a fraction, and UTC as Z."""
    if value is None:
        return None
    text = re.sub(r"^(\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|\+00:00)$", r"\1Z", str(value))
    text = re.sub(r"^(\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d)\.0+([+-]\d\d:\d\d)$", r"\1\2", text)
    return repr(float(text)) if re.fullmatch(r"-?\d+(\.\d+)?(E-?\d+)?", text) else text


class Report:
    """Counts comparisons and prints those that differ."""

    def __init__(self, engine):
        self.engine, self.same, self.different = engine, 0, 0

    def compare(self, what, want, got):
        if want == got:
            self.same += 1
            return
        self.different += 1
        print(f"!! {self.engine}: {what} differs")
        pairs = itertools.zip_longest(want, got) if isinstance(want, list) and isinstance(got, list) else [(want, got)]
        for pair in itertools.islice((p for p in pairs if p[0] != p[1]), 3):
            print("   file: %.300s\n   here: %.300s" % pair)
