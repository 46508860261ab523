-- Firmware that the hub holds. What an artifact is made of is in `manifest`, whose SHA-256 is its id; the files lie
-- beside the database, each under its own SHA-256.

-- `signers`: ids of the keys whose signatures held when it came. `sha256` and `md5`: of an image, empty for an app.
CREATE TABLE artifacts (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('app', 'esp-image')),
    target      TEXT NOT NULL,
    chip        TEXT NOT NULL,
    version     TEXT NOT NULL,
    size        INTEGER NOT NULL CHECK (size >= 0),
    manifest    BLOB NOT NULL,
    signatures  BLOB NOT NULL,
    signers     TEXT NOT NULL,
    legacy_only INTEGER NOT NULL CHECK (legacy_only IN (0, 1)),
    sha256      TEXT NOT NULL,
    md5         TEXT NOT NULL,
    notes       TEXT NOT NULL,
    checks      TEXT NOT NULL,
    created_us  INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    UNIQUE (kind, target, chip, version)
) STRICT, WITHOUT ROWID;

-- `crc32`: as a bundle that is handed out has it.
CREATE TABLE artifact_files (
    artifact_id TEXT NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
    path        TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    crc32       INTEGER NOT NULL,
    PRIMARY KEY (artifact_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_files_by_content ON artifact_files(sha256);

-- Whose signatures are trusted here: the modulus of an RSA-3072 key, in hex.
CREATE TABLE firmware_keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    modulus    TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
