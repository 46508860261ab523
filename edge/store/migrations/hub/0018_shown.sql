-- What panels have shown, from when on, by which evidence: `told` by the device, or `fetched`, which is all that
-- older devices let one know. `picture` is the SHA-256 of the bytes it was given. The last of a device is what it
-- shows. `at_clock` names the clock that gave `at_us` where nothing had set it.
CREATE TABLE shown (
    number    INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices(id),
    picture   TEXT NOT NULL,
    screen    TEXT NOT NULL,
    version   INTEGER NOT NULL,
    evidence  TEXT NOT NULL,
    at_us     INTEGER NOT NULL,
    at_clock  TEXT
) STRICT;
CREATE INDEX shown_of_device ON shown(device_id, number);
