-- What of the readings is at the centre: ranges of their numbers, ends included.

CREATE TABLE sync_sent (
    site  TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, first)
) STRICT, WITHOUT ROWID;
