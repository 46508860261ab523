-- Syncing with the centre: where each stream stands, what it would not take, what clocks were off by.

-- Which site this hub is, at which centre; the token is in a file of its own (site.token), out of every backup.
CREATE TABLE enrolment (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    url         TEXT NOT NULL,
    site        TEXT NOT NULL,
    name        TEXT NOT NULL,
    tenant      TEXT NOT NULL,
    enrolled_us INTEGER NOT NULL,
    enrolled_by TEXT NOT NULL
) STRICT;

-- Up to where the ledger is at the centre, and the last item of its inbox that was applied here.
CREATE TABLE sync_cursors (
    site  TEXT NOT NULL,
    name  TEXT NOT NULL,                     -- ledger (the first number not there), inbox
    value INTEGER NOT NULL,
    PRIMARY KEY (site, name)
) STRICT, WITHOUT ROWID;

-- Rows the centre would not take.
CREATE TABLE dead_letters (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    stream  TEXT NOT NULL,
    epoch   TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    at_us   INTEGER NOT NULL,
    why     TEXT NOT NULL,
    body    BLOB NOT NULL,                   -- the row, msgpack
    sent_us INTEGER,                         -- when it was taken after all
    UNIQUE (stream, epoch, seq)
) STRICT;

-- The boots of this machine that began with a clock that nothing had set. `unset_us`: when the boot began by that
-- clock; `began_us`: when it really did, null until the clock was set. A row of such a boot is of `began_us` plus its
-- monotonic time; rows themselves are never changed (edge/wire/times.py).
CREATE TABLE clock_fixes (
    boot_id  TEXT PRIMARY KEY,
    unset_us INTEGER NOT NULL,
    began_us INTEGER
) STRICT, WITHOUT ROWID;

-- Where a clock that nothing had set gave a time: boot and monotonic milliseconds, between them a blank. Else null.
ALTER TABLE commands ADD COLUMN ended_clock TEXT;
ALTER TABLE command_attempts ADD COLUMN clock TEXT;
ALTER TABLE transactions ADD COLUMN created_clock TEXT;
ALTER TABLE transactions ADD COLUMN ended_clock TEXT;
ALTER TABLE movements ADD COLUMN clock TEXT;
ALTER TABLE stock_answers ADD COLUMN clock TEXT;
