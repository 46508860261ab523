-- Documents that head office publishes at this site, until their pictures are here and they are applied or refused.
CREATE TABLE content_orders (
    number INTEGER PRIMARY KEY,          -- in the order they came
    item   TEXT NOT NULL UNIQUE,         -- the order's id
    body   TEXT NOT NULL,                -- a ContentOrder
    actor  TEXT NOT NULL                 -- who at head office
) STRICT;
