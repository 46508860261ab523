-- Updates over the air: what is rolled out to whom, how far each device is, what devices run. Columns that end in
-- `_s` are by the clock that counts only while the hub runs (meta: updates_watched_s).

-- `firmware`: what of the artifact decides who gets it, JSON; null until what head office ordered is here. `stopped`:
-- not by a person. `until_s`: the order's end by the clock of watching, in the boot `until_boot`. `halted`: head
-- office stopped it. `request`: actor and key of the request that made it, so that it is made once.
CREATE TABLE rollouts (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    artifact      TEXT NOT NULL,
    firmware      TEXT NOT NULL,
    whom          TEXT NOT NULL,
    plan          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('scheduled','running','paused','aborted','done','short')),
    reason        TEXT NOT NULL,
    stopped       INTEGER NOT NULL CHECK (stopped IN (0, 1)),
    origin        TEXT NOT NULL CHECK (origin IN ('site', 'centre')),
    created_us    INTEGER NOT NULL,
    created_clock TEXT,
    created_by    TEXT NOT NULL,
    starts_us     INTEGER,
    started_us    INTEGER,
    ended_us      INTEGER,
    until_us      INTEGER,
    until_s       REAL,
    until_boot    TEXT NOT NULL DEFAULT '',
    halted        INTEGER NOT NULL DEFAULT 0 CHECK (halted IN (0, 1)),
    request       TEXT UNIQUE,
    body_hash     BLOB NOT NULL
) STRICT;
CREATE INDEX rollouts_open ON rollouts(state) WHERE state IN ('scheduled','running','paused');
CREATE INDEX rollouts_artifact ON rollouts(artifact);

-- Waves that have begun. `reached_s`: when enough had ended well. `passed`: a person let the rollout go on.
CREATE TABLE rollout_waves (
    rollout   TEXT NOT NULL REFERENCES rollouts(id),
    wave      INTEGER NOT NULL,
    began_us  INTEGER NOT NULL,
    clock     TEXT,
    reached_s REAL,
    passed    INTEGER NOT NULL DEFAULT 0 CHECK (passed IN (0, 1)),
    PRIMARY KEY (rollout, wave)
) STRICT, WITHOUT ROWID;

-- Each device of each rollout. A device has one at most that has not ended.
CREATE TABLE device_updates (
    number        INTEGER PRIMARY KEY,
    rollout       TEXT NOT NULL REFERENCES rollouts(id),
    device_id     TEXT NOT NULL,
    artifact      TEXT NOT NULL,
    wave          INTEGER NOT NULL,
    step          TEXT NOT NULL,
    attempt       INTEGER NOT NULL,
    tries         INTEGER NOT NULL,
    done          INTEGER NOT NULL,
    size          INTEGER NOT NULL,
    reason        TEXT NOT NULL,
    changed_us    INTEGER,
    changed_clock TEXT,
    deadline_s    REAL,
    left_s        REAL,
    again_s       REAL,
    settled       INTEGER NOT NULL CHECK (settled IN (0, 1)),
    UNIQUE (rollout, device_id)
) STRICT;
CREATE UNIQUE INDEX device_updates_open ON device_updates(device_id)
    WHERE step NOT IN ('confirmed','already','failed','rejected','rolled-back','timed-out','withdrawn');
CREATE INDEX device_updates_device ON device_updates(device_id, artifact);

-- What a device says that it runs, JSON, and since when; `legacy`: it may take unsigned images.
CREATE TABLE device_firmware (
    device_id  TEXT PRIMARY KEY,
    running    TEXT NOT NULL,
    seen_us    INTEGER,
    seen_clock TEXT,
    legacy     INTEGER NOT NULL CHECK (legacy IN (0, 1))
) STRICT, WITHOUT ROWID;

-- What went wrong on a device is not offered to it again before then.
CREATE TABLE firmware_holds (
    device_id TEXT NOT NULL,
    artifact  TEXT NOT NULL,
    until_s   REAL NOT NULL,
    PRIMARY KEY (device_id, artifact)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_groups (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE device_group_members (
    name      TEXT NOT NULL REFERENCES device_groups(name) ON DELETE CASCADE,
    device_id TEXT NOT NULL,
    PRIMARY KEY (name, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_group_members_device ON device_group_members(device_id);
