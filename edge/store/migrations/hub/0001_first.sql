-- Small and precious: who is there, what shall be done, what was done. Times are UTC microseconds.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The list of facts, append-only, chained (edge/wire/ledger.py). It is also the outbox.
CREATE TABLE ledger (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us   INTEGER NOT NULL,
    quality TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    body    TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;

-- Keys of machines and people; only hashes. scope: '' for a role, or the older system a key is confined to.
CREATE TABLE keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    scope      TEXT NOT NULL DEFAULT '',
    hash       BLOB NOT NULL UNIQUE,
    weak       INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_us INTEGER
) STRICT;

CREATE TABLE devices (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    profile     TEXT NOT NULL,               -- what it speaks: native, nic-display, nic-client
    state       TEXT NOT NULL,               -- pending, approved, forgotten
    panel       TEXT NOT NULL DEFAULT '',
    token_hash  BLOB UNIQUE,
    epoch       TEXT NOT NULL DEFAULT '',    -- the device's own, new when its flash was erased
    last_seq    INTEGER NOT NULL DEFAULT 0,  -- highest command number handed to it
    facts       TEXT NOT NULL DEFAULT '{}',  -- what it says of itself, JSON
    created_us  INTEGER NOT NULL,
    approved_us INTEGER,
    approved_by TEXT NOT NULL DEFAULT ''
) STRICT;

-- Every name a device is known by elsewhere: a claimed id, a USB serial number, a port given by hand.
CREATE TABLE device_aliases (
    system    TEXT NOT NULL,
    alias     TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices(id),
    PRIMARY KEY (system, alias)
) STRICT, WITHOUT ROWID;

-- Last evidence of life, apart from the device: it changes all the time and may be lost.
CREATE TABLE presence (
    device_id   TEXT PRIMARY KEY REFERENCES devices(id),
    evidence_us INTEGER NOT NULL,
    quality     TEXT NOT NULL,
    how         TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a pending device reported, kept apart and bounded.
CREATE TABLE pending_reports (
    id        INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices(id),
    at_us     INTEGER NOT NULL,
    body      TEXT NOT NULL
) STRICT;
CREATE INDEX pending_reports_device ON pending_reports(device_id, id);

-- Which display stands at which workstation: bound by a technician, never guessed.
CREATE TABLE workstations (
    computer_key  TEXT NOT NULL,             -- the name as compared: trimmed, caseless
    device_id     TEXT NOT NULL REFERENCES devices(id),
    computer_name TEXT NOT NULL,
    bound_us      INTEGER NOT NULL,
    bound_by      TEXT NOT NULL,
    PRIMARY KEY (computer_key, device_id)
) STRICT, WITHOUT ROWID;

-- Which agent sits at which display now. One open session per agent and one per display, whatever happens.
CREATE TABLE agent_sessions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- also the generation a picture is bound to
    agent_id    TEXT NOT NULL,
    agent_name  TEXT NOT NULL,
    device_id   TEXT NOT NULL REFERENCES devices(id),
    how         TEXT NOT NULL,
    started_us  INTEGER NOT NULL,
    active_us   INTEGER NOT NULL,            -- the agent's last link or picture, to ten minutes: his lease runs from it
    yields      INTEGER NOT NULL DEFAULT 0,  -- the display's client has started anew: the next agent there may take over
    ended_us    INTEGER,
    ended_why   TEXT NOT NULL DEFAULT '',
    ended_by    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX agent_sessions_agent  ON agent_sessions(agent_id)  WHERE ended_us IS NULL;
CREATE UNIQUE INDEX agent_sessions_device ON agent_sessions(device_id) WHERE ended_us IS NULL;

-- An agent that asked for a display nobody may give it without a technician.
CREATE TABLE agent_claims (
    agent_id      TEXT PRIMARY KEY,
    agent_name    TEXT NOT NULL,
    device_id     TEXT NOT NULL DEFAULT '',
    computer_name TEXT NOT NULL DEFAULT '',
    why           TEXT NOT NULL,
    asked_us      INTEGER NOT NULL,
    count         INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of acceptance
    id         TEXT NOT NULL UNIQUE,
    device_id  TEXT NOT NULL REFERENCES devices(id),
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    args       TEXT,                         -- erased when the command ends
    args_hash  BLOB NOT NULL,
    session_id INTEGER REFERENCES agent_sessions(id),
    agent      TEXT NOT NULL DEFAULT '',
    actor      TEXT NOT NULL,
    seq        INTEGER,                      -- the device's number for it, given at the first attempt
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    quality    TEXT NOT NULL,
    boot_id    TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,             -- monotonic, valid within boot_id
    expires_us INTEGER NOT NULL,             -- wall, used only after a reboot and with a good clock
    ended_us   INTEGER,
    reason     TEXT NOT NULL DEFAULT '',
    resolved_by TEXT NOT NULL DEFAULT '',
    duration_s REAL
) STRICT;
CREATE INDEX commands_open   ON commands(device_id) WHERE ended_us IS NULL;
CREATE INDEX commands_device ON commands(device_id);

CREATE TABLE command_attempts (
    command_id TEXT NOT NULL REFERENCES commands(id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    link       TEXT NOT NULL,
    at_us      INTEGER NOT NULL,
    verdict    TEXT NOT NULL DEFAULT '',
    reason     TEXT NOT NULL DEFAULT '',
    duration_s REAL,
    PRIMARY KEY (command_id, attempt)
) STRICT, WITHOUT ROWID;

-- Answers kept for repeated requests: the same key and body get the same answer.
CREATE TABLE idempotency (
    actor      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BLOB NOT NULL,
    command_id TEXT NOT NULL,
    at_us      INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
