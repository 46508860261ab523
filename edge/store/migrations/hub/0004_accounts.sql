-- Accounts of the people who use apps at this site.

-- One person's account. Passwords as argon2id only; the e-mail address and the username as compared (lower case).
CREATE TABLE users (
    id            TEXT PRIMARY KEY,            -- 24 hex digits, the form the old apps know
    email         TEXT NOT NULL UNIQUE,
    username      TEXT NOT NULL,
    username_key  TEXT NOT NULL UNIQUE,
    full_name     TEXT NOT NULL DEFAULT '',
    password_hash TEXT NOT NULL,
    preferences   TEXT NOT NULL DEFAULT '{}',  -- what an app keeps with the account, JSON
    created_us    INTEGER NOT NULL,
    created_by    TEXT NOT NULL,
    approved_us   INTEGER,                     -- null: waits for an administrator
    approved_by   TEXT NOT NULL DEFAULT '',
    disabled      INTEGER NOT NULL DEFAULT 0,
    origin        TEXT NOT NULL DEFAULT ''     -- while it waits: the network address it was made from
) STRICT;

-- One login, until it is logged out. `refresh_id` names the one refresh token that is still good; `aged_ms` is how
-- old that token was at the moment the stamp tells, so that its age goes on also where wall time proves nothing.
CREATE TABLE user_sessions (
    id         TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    refresh_id TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    quality    TEXT NOT NULL,
    boot_id    TEXT NOT NULL,
    mono_ms    INTEGER NOT NULL,
    aged_ms    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX user_sessions_user ON user_sessions(user_id);

-- A code an administrator has made, with which a person sets a new password once; only its hash.
CREATE TABLE password_resets (
    user_id   TEXT PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    code_hash BLOB NOT NULL UNIQUE,
    at_us     INTEGER NOT NULL,
    quality   TEXT NOT NULL,
    boot_id   TEXT NOT NULL,
    mono_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What this hub signs accounts' tokens with. One row, made at the first start.
CREATE TABLE account_secret (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    secret BLOB NOT NULL
) STRICT;
