-- Bluetooth sensors that were taken in as devices. `address` is 12 hex digits; `bind_key` opens what they say, NULL for
-- those that speak plain; `counter` is the highest number of an encrypted message, -1 where there was none.
CREATE TABLE ble_sensors (
    device_id TEXT PRIMARY KEY REFERENCES devices(id),
    address   TEXT NOT NULL UNIQUE,
    bind_key  BLOB,
    counter   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
