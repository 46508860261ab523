-- What people write for panels: layouts, playlists, schedules and sources (docs/content.md). Bodies are JSON in the
-- form in which they are hashed. `revision` rises with each saved draft; `version` is the published one, 0 for none;
-- `newest` the highest number given out, which a document that was removed keeps, so that none is given out twice;
-- `conflict` the version of head office that waits for a person, 0 for none.
CREATE TABLE documents (
    kind          TEXT NOT NULL CHECK (kind IN ('layout', 'playlist', 'schedule', 'source')),
    id            TEXT NOT NULL,
    title         TEXT NOT NULL,
    revision      INTEGER NOT NULL,
    draft         TEXT NOT NULL,
    hash          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    newest        INTEGER NOT NULL,
    conflict      INTEGER NOT NULL,
    removed       INTEGER NOT NULL CHECK (removed IN (0, 1)),
    changed_us    INTEGER NOT NULL,
    changed_clock TEXT,
    changed_by    TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- What was published, or sent by head office. Never changed; the oldest go. `back_to`: the version it repeats.
CREATE TABLE document_versions (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    body    TEXT NOT NULL,
    at_us   INTEGER NOT NULL,
    clock   TEXT,
    by      TEXT NOT NULL,
    note    TEXT NOT NULL,
    back_to INTEGER NOT NULL,
    PRIMARY KEY (kind, id, version),
    FOREIGN KEY (kind, id) REFERENCES documents(kind, id)
) STRICT;
