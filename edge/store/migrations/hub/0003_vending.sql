-- Vending: slots, what they hold, and what was dispensed. Prices are in the smallest unit of their currency.

-- How many slots a machine has, by its own report.
CREATE TABLE machines (
    device_id TEXT PRIMARY KEY REFERENCES devices(id),
    slots     INTEGER NOT NULL CHECK (slots BETWEEN 1 AND 99)
) STRICT, WITHOUT ROWID;

-- What a person has set up. A machine without a row here is not counted: it vends, and nobody knows what it holds.
CREATE TABLE slots (
    device_id    TEXT NOT NULL REFERENCES devices(id),
    slot         INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 99),
    item         TEXT NOT NULL DEFAULT '',
    price        INTEGER NOT NULL DEFAULT 0 CHECK (price >= 0),
    currency     TEXT NOT NULL DEFAULT '',
    capacity     INTEGER NOT NULL DEFAULT 0 CHECK (capacity >= 0),  -- 0: nobody said
    count        INTEGER NOT NULL DEFAULT 0 CHECK (count >= 0),     -- the sum of its movements
    restocked_us INTEGER,
    PRIMARY KEY (device_id, slot)
) STRICT, WITHOUT ROWID;

-- Each vend, for ever, as its command is or was: commands themselves are forgotten after a while.
CREATE TABLE transactions (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id  TEXT NOT NULL UNIQUE,
    device_id   TEXT NOT NULL REFERENCES devices(id),
    slot        INTEGER NOT NULL,
    item        TEXT NOT NULL,               -- as it was when the vend was asked for; price and currency too
    price       INTEGER NOT NULL,
    currency    TEXT NOT NULL,
    counted     INTEGER NOT NULL CHECK (counted IN (0, 1)),  -- 1: when it succeeds, its slot holds one less
    state       TEXT NOT NULL,
    evidence    TEXT NOT NULL DEFAULT '' CHECK (evidence IN ('', 'machine', 'sensor', 'person')),
    reason      TEXT NOT NULL DEFAULT '',    -- what the machine or the link said
    actor       TEXT NOT NULL,
    created_us  INTEGER NOT NULL,
    ended_us    INTEGER,
    resolved_by TEXT NOT NULL DEFAULT '',
    note        TEXT NOT NULL DEFAULT ''     -- what people wrote
) STRICT;
CREATE INDEX transactions_device ON transactions(device_id, number);

-- One vend under way on a machine, and one unsettled at a slot, whatever happens.
CREATE UNIQUE INDEX transactions_under_way ON transactions(device_id) WHERE state IN ('queued', 'sent');
CREATE UNIQUE INDEX transactions_open ON transactions(device_id, slot) WHERE ended_us IS NULL;

-- Every change of a count, append-only; `count` is what it came to.
CREATE TABLE movements (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id  TEXT NOT NULL REFERENCES devices(id),
    slot       INTEGER NOT NULL,
    what       TEXT NOT NULL CHECK (what IN ('restock', 'vend', 'correction')),
    change     INTEGER NOT NULL,
    count      INTEGER NOT NULL CHECK (count >= 0),
    actor      TEXT NOT NULL,
    command_id TEXT,
    note       TEXT NOT NULL DEFAULT '',
    at_us      INTEGER NOT NULL,
    CHECK (what <> 'vend' OR (change = -1 AND command_id IS NOT NULL))
) STRICT;
CREATE INDEX movements_slot ON movements(device_id, slot, number);
CREATE UNIQUE INDEX movements_vend ON movements(command_id) WHERE what = 'vend';  -- no vend is booked twice
CREATE TRIGGER movements_stay BEFORE UPDATE ON movements
BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END;
CREATE TRIGGER movements_remain BEFORE DELETE ON movements
BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END;
