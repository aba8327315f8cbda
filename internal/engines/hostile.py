"""Events that are hard to read back: extreme instants, days of 23 and 25 hours, wide and control characters,
texts that look like SQL, empty texts and nulls, odd JSON."""
import datetime
import random
import uuid

# Instants at which clocks change somewhere, and the first and last that a file takes.
PLACES = ["2026-01-20T00:00:00+00:00", "2025-10-26T01:00:00+00:00", "2026-03-08T07:00:00+00:00", "2018-11-04T03:00:00+00:00",
          "2026-04-04T15:00:00+00:00", "1970-01-01T00:00:00+00:00", "2199-12-31T23:59:59.999999+00:00", "2150-06-01T12:00:00.000001+00:00"]
KINDS = ["page_view", "page_view", "click", "form_submit", "purchase", "error", "a, b", "it's \\ ${env:HOME} \U0001F600", "-- x\n;"]
NAMES = [None, "", "\U0001F600 \u00fcn\u00ef \u6f22\u5b57", "tab\tand\r\nline", "\x01\u202e"]
PROPERTIES = [None, "{}", '{"page":"/news"}', '{"page":"/\u00e9\'\\u0041"}', '{"page":""}', '{"page":null}', '{"page":7}', '{"page":1.5}', '{"page":true}',
              '{"page":{"b":"x","a":[1, 2]}}', '{"page":"null"}', '[{"page":"/no"}]', '"page"', "3", "null", '{"page":"\U0001F600\\n\\t"}']


def micros(text):
    passed = datetime.datetime.fromisoformat(text) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def rows(seed=7):
    """Values of the columns of events but batch, with the timestamp in microseconds."""
    pick, last = random.Random(seed), micros(PLACES[6])
    for number, place in enumerate(PLACES):
        yield row(pick, number, micros(place))
        for _ in range(250):
            at = micros(place) + pick.randrange(-288, 288) * 900_000_000
            if pick.randrange(3) == 0:
                at = micros(place) + pick.randrange(360_000_000_000)
            yield row(pick, number, min(max(at, 0), last))


def row(pick, place, at):
    return (str(uuid.UUID(int=pick.getrandbits(128))), f"00000000-0000-4000-8000-{pick.randrange(30) + place * 30:012d}",
            pick.choice([None, f"00000000-0000-4000-8000-{pick.randrange(8):012d}"]), pick.choice(KINDS), pick.choice(NAMES), at, pick.choice(PROPERTIES),
            pick.choice([None, "mobile", "desktop", ""]), pick.choice([None, "Chrome", "\u00df", "Z"]), pick.choice([None, '{"x":1}']))


def add(connection, batch=1, seed=7):
    """Adds the rows to a batch of a file that is open in DuckDB."""
    connection.executemany("""INSERT INTO events (id, session_id, user_id, type, name, "timestamp", properties, device_type, browser, extra, batch)
        VALUES (?, ?, ?, ?, ?, make_timestamptz(?), ?, ?, ?, ?, ?)""", [(*r, batch) for r in rows(seed)])
