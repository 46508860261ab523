-- The states of assets over time, worked out from readings (docs/availability.md); they outlive the readings.

-- Whose bands are whose. `current`: those that are asked; others are being made, or wait to be deleted.
CREATE TABLE asset_tracks (
    id      INTEGER PRIMARY KEY,
    asset   TEXT NOT NULL,
    current INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX asset_tracks_current ON asset_tracks(asset) WHERE current;

-- A state from a time on, until the next band of the track, with the sums of all before it.
CREATE TABLE asset_bands (
    track       INTEGER NOT NULL,
    at_us       INTEGER NOT NULL,
    state       INTEGER NOT NULL,            -- 0 unknown, 1 running, 2 stopped, 3 planned
    raw         INTEGER NOT NULL,            -- without the calendar: 0 to 2
    past        INTEGER NOT NULL,            -- what is known of what was before: edge/assets/model.py
    began_us    INTEGER NOT NULL,            -- of the stop that goes on or ends here; 0 for none
    stopped_us  INTEGER NOT NULL,            -- how long that had been stopped
    run_us      INTEGER NOT NULL,
    stop_us     INTEGER NOT NULL,
    planned_us  INTEGER NOT NULL,
    stops       INTEGER NOT NULL,
    short_stops INTEGER NOT NULL,
    ended_stops INTEGER NOT NULL,
    anew        INTEGER NOT NULL,            -- 1 where a wiring begins
    PRIMARY KEY (track, at_us)
) STRICT, WITHOUT ROWID;
-- Bands that end a stop, and those a stop counts from.
CREATE INDEX asset_bands_ends ON asset_bands(track, at_us, began_us, stopped_us, state, anew)
    WHERE began_us > 0 AND (anew OR state = 1);
CREATE INDEX asset_bands_stops ON asset_bands(track, at_us) WHERE state = 2 AND began_us = at_us AND NOT anew;

-- The longest stop that ended on each day of UTC: a year is looked through by days.
CREATE TABLE asset_longest (
    track      INTEGER NOT NULL,
    day_us     INTEGER NOT NULL,
    stopped_us INTEGER NOT NULL,
    PRIMARY KEY (track, day_us)
) STRICT, WITHOUT ROWID;

-- How far the bands of an asset are made. `made_by` and `laid_by` say by which definition and calendar. `upto_us`: what
-- was heard until then is in them; but for what is owed: from `owed_us` on they are to be made anew. `evidence_us`: when
-- its logger was heard last.
CREATE TABLE asset_marks (
    asset       TEXT PRIMARY KEY,
    made_by     TEXT NOT NULL,
    laid_by     TEXT NOT NULL,
    upto_us     INTEGER NOT NULL,
    evidence_us INTEGER,
    owed_us     INTEGER
) STRICT, WITHOUT ROWID;

-- `assets`: readings up to this number are in the bands, or their asset owes them. `gone_us`: readings that the hub
-- received before then have been let go, all or some.
INSERT INTO progress(name, seq) VALUES ('assets', 0), ('gone_us', 0);

-- When a boot whose clock was set later began, as the bands have it.
ALTER TABLE hub_boots ADD COLUMN taken_us INTEGER;
