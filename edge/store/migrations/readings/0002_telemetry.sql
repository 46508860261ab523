-- Readings, latest values, hourly rollups.

-- What a device measures, by key. Kept while anything of it is.
CREATE TABLE series (
    id        INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    key       TEXT NOT NULL,
    UNIQUE (device_id, key)
) STRICT;

-- The boots of this hub, so that a reading names its own by a number.
CREATE TABLE hub_boots (
    id      INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL UNIQUE
) STRICT;

-- Every reading in the order of arrival; `seq` rises and is never used again. Accepting one appends a row here and
-- nothing else, so a commit writes few pages. `progress` says how far the tables below have taken them in.
CREATE TABLE readings (
    seq       INTEGER PRIMARY KEY,
    series_id INTEGER NOT NULL,
    at_us     INTEGER NOT NULL,
    value     ANY NOT NULL,
    kind      INTEGER NOT NULL,              -- 0 a number, 1 true or false, 2 text
    quality   INTEGER NOT NULL,              -- of the clock behind at_us: 0 none, 1 rtc, 2 ntp, 3 fixed
    late_us   INTEGER NOT NULL,              -- receipt by the hub's clock minus at_us
    boot      INTEGER NOT NULL,              -- the device's boot counter; below zero: hub_boots, where the hub gave the time
    mono_ms   INTEGER NOT NULL               -- within that boot
) STRICT;

-- The highest `seq` that is in all of history, rollups and latest.
CREATE TABLE progress (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO progress(name, seq) VALUES ('folded', 0);

-- The same readings in the order they are asked for.
CREATE TABLE history (
    series_id INTEGER NOT NULL,
    at_us     INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    value     ANY NOT NULL,
    kind      INTEGER NOT NULL,
    quality   INTEGER NOT NULL,
    PRIMARY KEY (series_id, at_us, seq)
) STRICT, WITHOUT ROWID;

-- Numbers by the hour (of the site's zone), each reading added once; they outlive the readings.
CREATE TABLE rollups (
    series_id INTEGER NOT NULL,
    hour_us   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    sum       REAL NOT NULL,
    min       REAL NOT NULL,
    max       REAL NOT NULL,
    PRIMARY KEY (series_id, hour_us)
) STRICT, WITHOUT ROWID;

-- The newest value of each series as of `progress`; what came since is read from readings at the start.
CREATE TABLE latest (
    series_id   INTEGER PRIMARY KEY,
    value       ANY NOT NULL,
    kind        INTEGER NOT NULL,
    at_us       INTEGER NOT NULL,
    quality     INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    order_us    INTEGER NOT NULL             -- what the next one is compared with
) STRICT;

-- How far each buffer of a device has been taken: what comes again is known by it.
CREATE TABLE buffers (
    device_id TEXT NOT NULL,
    epoch     TEXT NOT NULL,
    next      INTEGER NOT NULL,
    used_us   INTEGER NOT NULL,
    PRIMARY KEY (device_id, epoch)
) STRICT, WITHOUT ROWID;
