-- Answers kept for repeated requests that change a slot's count: the same key and body get the same answer.
CREATE TABLE stock_answers (
    actor     TEXT NOT NULL,
    key       TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    answer    TEXT NOT NULL,  -- JSON: the slot as it stood then
    at_us     INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX stock_answers_at ON stock_answers(at_us);
