-- Large and replaceable: what devices measure and say. Times are UTC microseconds.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device_log (
    id        INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    at_us     INTEGER NOT NULL,
    quality   TEXT NOT NULL,
    boot_id   TEXT NOT NULL,
    mono_ms   INTEGER NOT NULL,
    level     TEXT NOT NULL,
    text      TEXT NOT NULL
) STRICT;
CREATE INDEX device_log_device ON device_log(device_id, id);
