-- What a table in a lake, to which the file is exported, must know: which file it is, and which rejects were
-- resolved since the last export. Batch numbers restart in a file that is pulled anew, its lineage does not.
INSERT INTO meta SELECT 'lineage', uuid()::VARCHAR;
ALTER TABLE rejected_events ADD COLUMN resolved_batch BIGINT;
COMMENT ON COLUMN rejected_events.resolved_batch IS 'the last batch when it was resolved; NULL if it is not';
-- When older versions resolved them is not known: the last closing check is the latest possible one of an
-- earlier batch.
UPDATE rejected_events SET resolved_batch = greatest(batch, coalesce((SELECT max(value::BIGINT) FROM meta WHERE key = 'checked_batch'), 0)) WHERE resolved;
