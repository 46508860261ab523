-- Outgoing webhooks and their deliveries.

-- Where to send what. The secrets sign, so they are kept as they are; `old_secret` is still good for a while after a
-- change. `from_seq`: facts of the ledger up to this number are none of its business. `dropped`: deliveries that made
-- room for newer ones since the last that arrived.
CREATE TABLE hooks (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,               -- JSON list
    devices    TEXT NOT NULL DEFAULT '[]',  -- JSON list of ids, empty: all
    keys       TEXT NOT NULL DEFAULT '[]',  -- JSON list of readings' keys, empty: all
    secret     TEXT NOT NULL,
    old_secret TEXT NOT NULL DEFAULT '',
    changed_us INTEGER,                     -- when the secret was changed, with the rest of that moment
    quality    TEXT,
    boot_id    TEXT,
    mono_ms    INTEGER,
    enabled    INTEGER NOT NULL DEFAULT 1,
    from_seq   INTEGER NOT NULL,
    dropped    INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT;

-- The outbox: one row for each message to one hook, in order. The body is made once; its very bytes are signed. It is
-- erased when it has arrived.
CREATE TABLE hook_deliveries (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    hook_id    TEXT NOT NULL REFERENCES hooks(id) ON DELETE CASCADE,
    event      TEXT NOT NULL,
    body       BLOB,
    state      TEXT NOT NULL,               -- waiting, delivered, dead
    attempts   INTEGER NOT NULL DEFAULT 0,
    status     INTEGER,                     -- what the receiver answered last
    reason     TEXT NOT NULL DEFAULT '',    -- what was wrong last, in our words
    created_us INTEGER NOT NULL,
    ended_us   INTEGER
) STRICT;
CREATE INDEX hook_deliveries_hook ON hook_deliveries(hook_id, state, number);

-- How far the ledger has been turned into deliveries. One row.
CREATE TABLE hook_position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq  INTEGER NOT NULL
) STRICT;
