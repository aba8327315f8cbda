-- Why a run is not complete, so that it is known after its terminal or log is gone.
ALTER TABLE runs ADD COLUMN reason VARCHAR;
COMMENT ON COLUMN runs.reason IS 'why the pull is not complete; NULL if it is, runs or was killed';
