-- What was taken over from the centre's inbox, by id, with what became of it: a centre whose backup was put back
-- may hand an item out again under another number. The newest are kept.
CREATE TABLE taken_items (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    site   TEXT NOT NULL,
    id     TEXT NOT NULL,
    ended  TEXT NOT NULL,
    code   TEXT NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (site, id)
) STRICT;
