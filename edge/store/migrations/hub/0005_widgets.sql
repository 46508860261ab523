-- What devices shall be (their desired state), and the apps' dashboards, widgets, schedules and notifications.

-- What a device shall be. `version` rises with every change and never falls, also when the device is forgotten.
CREATE TABLE twins (
    device_id  TEXT PRIMARY KEY REFERENCES devices(id),
    version    INTEGER NOT NULL,
    desired    TEXT NOT NULL,                -- JSON object: value by key
    changed_us INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Pages of widgets in an app. `owner` is an account's id.
CREATE TABLE dashboards (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    layout      TEXT NOT NULL DEFAULT '[]',  -- JSON: where the app draws each widget, and how large
    created_us  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What an app shows and switches. `pin` is the key it switches at its device: one widget a pin, on whatever page.
CREATE TABLE widgets (
    id           TEXT PRIMARY KEY,
    dashboard_id TEXT NOT NULL REFERENCES dashboards(id),
    device_id    TEXT REFERENCES devices(id),
    type         TEXT NOT NULL,
    label        TEXT NOT NULL,
    value        TEXT NOT NULL,              -- JSON: what the app gave; shown while the device has said nothing
    config       TEXT NOT NULL,              -- JSON object: the app's own
    pin          TEXT,
    created_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX widgets_pin ON widgets(device_id, pin) WHERE pin IS NOT NULL;

-- What shall be switched once, later. A timer runs by the monotonic clock (`due_ms` within `boot_id`) while the boot
-- lasts; everything else by the wall clock.
CREATE TABLE schedules (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    widget_id  TEXT NOT NULL,
    device_id  TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      TEXT NOT NULL,                -- JSON
    label      TEXT NOT NULL,
    due_us     INTEGER NOT NULL,
    boot_id    TEXT NOT NULL DEFAULT '',     -- of a timer
    due_ms     INTEGER NOT NULL DEFAULT 0,
    state      TEXT NOT NULL,                -- pending, executed, cancelled, missed, failed
    created_us INTEGER NOT NULL,
    ended_us   INTEGER,
    reason     TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_pending ON schedules(due_us) WHERE state = 'pending';
CREATE INDEX schedules_widget  ON schedules(widget_id, created_us);

-- What people are told. `owner` is an account's id, '' for the site's technicians.
CREATE TABLE notices (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    owner     TEXT NOT NULL,
    at_us     INTEGER NOT NULL,
    type      TEXT NOT NULL,
    title     TEXT NOT NULL,
    message   TEXT NOT NULL,
    details   TEXT NOT NULL DEFAULT '',
    device_id TEXT NOT NULL DEFAULT '',
    widget_id TEXT NOT NULL DEFAULT '',
    read      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notices_owner ON notices(owner, number);
