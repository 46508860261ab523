-- What of the readings is at the centre: ranges of their numbers, ends included.

CREATE TABLE sync_sent (
    site  TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, first)
) STRICT, WITHOUT ROWID;

-- `first_seq`: the first reading of this boot. `began_us`: when it began, once its clock has been set, if nothing had
-- set it before. History and rollups took the readings up to `move_to` in before that, and have been put right up to
-- `moved_seq`; `was_us`: what `began_us` was before, where it was given twice.
ALTER TABLE hub_boots ADD COLUMN first_seq INTEGER;
ALTER TABLE hub_boots ADD COLUMN began_us  INTEGER;
ALTER TABLE hub_boots ADD COLUMN was_us    INTEGER;
ALTER TABLE hub_boots ADD COLUMN moved_seq INTEGER;
ALTER TABLE hub_boots ADD COLUMN move_to   INTEGER;

-- Where the hub's own clock gave the time of a newest value, and nothing had set it: the hub's boot and its monotonic
-- time; else null.
ALTER TABLE latest ADD COLUMN boot    INTEGER;
ALTER TABLE latest ADD COLUMN mono_ms INTEGER;

-- The readings with the time they are really of (edge/wire/times.py).
CREATE VIEW dated AS SELECT seq, series_id, value, kind, late_us, boot, mono_ms,
    CASE WHEN quality = 0 AND boot < 0
         THEN COALESCE((SELECT began_us FROM hub_boots WHERE id = -boot) + mono_ms * 1000, at_us)
         ELSE at_us END AS at_us,
    CASE WHEN quality = 0 AND boot < 0 AND (SELECT began_us FROM hub_boots WHERE id = -boot) IS NOT NULL
         THEN 3 ELSE quality END AS quality
FROM readings;
