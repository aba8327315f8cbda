ALTER TABLE checkpoint ADD COLUMN floor TIMESTAMPTZ;
COMMENT ON COLUMN checkpoint.floor IS 'events below it were not wanted; NULL where all were';

ALTER TABLE page_log ADD COLUMN until TIMESTAMPTZ;
ALTER TABLE page_log ADD COLUMN outside BIGINT DEFAULT 0;
ALTER TABLE page_log ADD COLUMN checksum BIGINT;
COMMENT ON TABLE page_log IS 'a row a committed page; returned = stored + duplicate + rejected + outside';
COMMENT ON COLUMN page_log.until IS 'the bound by which a first page was asked for when its window went on by time';
COMMENT ON COLUMN page_log.outside IS 'elements below the floor, which were not wanted';
COMMENT ON COLUMN page_log.checksum IS 'of the events stored: the sum of their instants in microseconds, each times one more than the last two bytes of the id, modulo 2^63; NULL on pages that an older version stored';
COMMENT ON COLUMN page_log.endpoint IS 'events or feed; closing check where second copies of ids were deleted from the batch';

ALTER TABLE rejected_events ADD COLUMN "timestamp" TIMESTAMPTZ;
COMMENT ON COLUMN rejected_events.resolved IS 'it is stored as an event all the same, or kept as another reject';
COMMENT ON COLUMN rejected_events."timestamp" IS 'its instant, where that can be read; NULL too on rejects that an older version kept';

UPDATE checkpoint SET pages = (SELECT count(*) FROM page_log p WHERE p.window_id = checkpoint.window_id AND p.endpoint <> 'closing check');

-- An older closing check added one row under a number of its own for all batches.
CREATE TEMP TABLE lost AS
SELECT l.batch, l.run, l.window_id, l.n - coalesce(e.n, 0) AS n
FROM (SELECT batch, any_value(run) AS run, any_value(window_id) AS window_id, sum(stored)::BIGINT AS n FROM page_log WHERE endpoint <> 'closing check' GROUP BY batch) l
LEFT JOIN (SELECT batch, count(*) AS n FROM events GROUP BY batch) e USING (batch)
WHERE l.n <> coalesce(e.n, 0) AND EXISTS (SELECT 1 FROM page_log WHERE endpoint = 'closing check');
-- Rows that are missing for another reason stay missing.
DELETE FROM lost WHERE (SELECT sum(n) FROM lost) <> (SELECT -sum(stored) FROM page_log WHERE endpoint = 'closing check');
DELETE FROM page_log WHERE endpoint = 'closing check';
INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed)
SELECT batch, run, window_id, 'closing check', 0, -n, n, n, 0, false FROM lost;
DROP TABLE lost;
UPDATE meta SET value = least(value::BIGINT, (SELECT coalesce(max(batch), 0) FROM page_log))::VARCHAR WHERE key = 'checked_batch';
