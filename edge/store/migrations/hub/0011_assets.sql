-- Assets: the machines whose running is watched, who tells of them, and what people say of their stops. What follows
-- from readings, their states over time, is in readings.db. `clock` says which clock gave a time, where nothing had
-- set it: boot and milliseconds.

-- `named`: somebody gave it its name, 0 for one that came by itself. `removed_us`: since when it is in no list.
CREATE TABLE assets (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    line         TEXT NOT NULL DEFAULT '',
    short_stop_s REAL NOT NULL CHECK (short_stop_s >= 0),
    silent_s     REAL NOT NULL CHECK (silent_s > 0),
    named        INTEGER NOT NULL CHECK (named IN (0, 1)),
    removed_us   INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX assets_name ON assets(name) WHERE removed_us IS NULL;

-- From when on which input of which device tells of an asset, until the next. No device: nothing does, it is removed.
CREATE TABLE asset_wirings (
    asset_id  TEXT NOT NULL REFERENCES assets(id),
    from_us   INTEGER NOT NULL CHECK (from_us >= 0),
    clock     TEXT,
    device_id TEXT REFERENCES devices(id),
    input     TEXT NOT NULL,
    inverted  INTEGER NOT NULL CHECK (inverted IN (0, 1)),
    PRIMARY KEY (asset_id, from_us)
) STRICT, WITHOUT ROWID;

-- Reasons that may be given to stops. One that was given once stays for ever, retired at most.
CREATE TABLE stop_reasons (
    number  INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    retired INTEGER NOT NULL CHECK (retired IN (0, 1))
) STRICT;

-- Times of day are those of the site, HH:MM; days are a JSON list, Monday is 1.
CREATE TABLE shifts (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    name   TEXT NOT NULL,
    begins TEXT NOT NULL,
    ends   TEXT NOT NULL,
    days   TEXT NOT NULL
) STRICT;

-- When assets need not run: weekly, or once, and then `begins` is ''. `assets` is a JSON list, empty: all.
CREATE TABLE planned (
    number    INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    name      TEXT NOT NULL,
    begins    TEXT NOT NULL DEFAULT '',
    ends      TEXT NOT NULL DEFAULT '',
    days      TEXT NOT NULL DEFAULT '[]',
    first_day TEXT NOT NULL DEFAULT '',
    last_day  TEXT NOT NULL DEFAULT '',
    from_us   INTEGER,
    to_us     INTEGER,
    assets    TEXT NOT NULL DEFAULT '[]',
    CHECK ((begins = '') = (from_us IS NOT NULL) AND (from_us IS NULL) = (to_us IS NULL))
) STRICT;

-- What was said of a span of an asset's time, append-only: of those that overlap a stop the one said last counts.
CREATE TABLE asset_explanations (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_id    TEXT NOT NULL REFERENCES assets(id),
    from_us     INTEGER NOT NULL,
    to_us       INTEGER NOT NULL CHECK (to_us > from_us),
    clock       TEXT,                        -- of both
    reason      TEXT NOT NULL,               -- '' takes away what was said
    reason_name TEXT NOT NULL,               -- as it was called then
    note        TEXT NOT NULL,
    actor       TEXT NOT NULL,
    said_us     INTEGER NOT NULL,
    said_clock  TEXT
) STRICT;
CREATE INDEX asset_explanations_span ON asset_explanations(asset_id, to_us) WHERE clock IS NULL;
CREATE INDEX asset_explanations_unset ON asset_explanations(asset_id) WHERE clock IS NOT NULL;
