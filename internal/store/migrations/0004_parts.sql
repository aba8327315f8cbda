-- A window may be walked in parts, side by side: each is a row like a window's.
ALTER TABLE checkpoints ADD COLUMN whole BIGINT;
ALTER TABLE checkpoints ADD COLUMN begins TIMESTAMPTZ;
ALTER TABLE checkpoints ADD COLUMN first_timestamp TIMESTAMPTZ;
ALTER TABLE checkpoints ADD COLUMN first_id UUID;
ALTER TABLE checkpoints ADD COLUMN absorbed BOOLEAN DEFAULT false;
UPDATE checkpoints SET whole = window_id;
COMMENT ON COLUMN checkpoints.whole IS 'the window of which this is a part, or the window itself';
COMMENT ON COLUMN checkpoints.begins IS 'the border below which a part was split off; NULL where the walk begins at the newest event';
COMMENT ON COLUMN checkpoints.first_id IS 'of the event with which a part began, where the part above it ends';
COMMENT ON COLUMN checkpoints.absorbed IS 'a part that could not be walked to its end, and that another one walks again';
DROP VIEW checkpoint;
CREATE VIEW checkpoint AS SELECT * EXCLUDE (writer, batch) FROM checkpoints QUALIFY row_number() OVER (PARTITION BY window_id ORDER BY batch DESC) = 1;
COMMENT ON VIEW checkpoint IS 'where the walk of each window of time, or of each part of one, stands: not_begun, under_way or done';
