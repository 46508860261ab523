-- Pictures that people have uploaded, as they are kept: each file lies beside the database, under its SHA-256.

-- `number`: the order in which they came. `kind`: of the file. `notes`: what was done to it, a JSON list of sentences.
-- `clock`: which clock gave `at_us`, where nothing had set it.
CREATE TABLE pictures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64),
    name   TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('png', 'jpeg')),
    width  INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    size   INTEGER NOT NULL CHECK (size > 0),
    colour INTEGER NOT NULL CHECK (colour IN (0, 1)),
    notes  TEXT NOT NULL,
    at_us  INTEGER NOT NULL,
    clock  TEXT,
    by     TEXT NOT NULL
) STRICT;
