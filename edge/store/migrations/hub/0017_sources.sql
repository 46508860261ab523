-- What sources last said (docs/content.md). `asked` is SHA-256 of what is asked where: what an earlier document asked
-- for is no answer to this one. `said` is JSON, field to text; `at_us` is when, 0 for never, and `at_clock` which clock
-- gave that time where nothing had set it. `failing_us`, `failing_clock`: since when each attempt has failed, 0 for not.
CREATE TABLE sources (
    id            TEXT PRIMARY KEY,
    asked         TEXT NOT NULL,
    said          TEXT NOT NULL,
    at_us         INTEGER NOT NULL,
    at_clock      TEXT,
    etag          TEXT NOT NULL,
    modified      TEXT NOT NULL,
    problem       TEXT NOT NULL,
    failures      INTEGER NOT NULL,
    failing_us    INTEGER NOT NULL,
    failing_clock TEXT
) STRICT, WITHOUT ROWID;
