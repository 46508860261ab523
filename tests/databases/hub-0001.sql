-- A hub of schema 1: one display, three codes for it, the last one under way. Kept as it was.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE agent_claims (
    agent_id      TEXT PRIMARY KEY,
    agent_name    TEXT NOT NULL,
    device_id     TEXT NOT NULL DEFAULT '',
    computer_name TEXT NOT NULL DEFAULT '',
    why           TEXT NOT NULL,
    asked_us      INTEGER NOT NULL,
    count         INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE TABLE agent_sessions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- also the generation a picture is bound to
    agent_id    TEXT NOT NULL,
    agent_name  TEXT NOT NULL,
    device_id   TEXT NOT NULL REFERENCES devices(id),
    how         TEXT NOT NULL,
    started_us  INTEGER NOT NULL,
    active_us   INTEGER NOT NULL,            -- the agent's last link or picture, to ten minutes: his lease runs from it
    yields      INTEGER NOT NULL DEFAULT 0,  -- the display's client has started anew: the next agent there may take over
    ended_us    INTEGER,
    ended_why   TEXT NOT NULL DEFAULT '',
    ended_by    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE command_attempts (
    command_id TEXT NOT NULL REFERENCES commands(id) ON DELETE CASCADE,
    attempt    INTEGER NOT NULL,
    link       TEXT NOT NULL,
    at_us      INTEGER NOT NULL,
    verdict    TEXT NOT NULL DEFAULT '',
    reason     TEXT NOT NULL DEFAULT '',
    duration_s REAL,
    PRIMARY KEY (command_id, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "command_attempts" VALUES('cmd_1795237359602_lsu8btetj',1,'serial /dev/ttyUSB0 @115200',1795237359603227,'','',NULL);
CREATE TABLE commands (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of acceptance
    id         TEXT NOT NULL UNIQUE,
    device_id  TEXT NOT NULL REFERENCES devices(id),
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    args       TEXT,                         -- erased when the command ends
    args_hash  BLOB NOT NULL,
    session_id INTEGER REFERENCES agent_sessions(id),
    agent      TEXT NOT NULL DEFAULT '',
    actor      TEXT NOT NULL,
    seq        INTEGER,                      -- the device's number for it, given at the first attempt
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    quality    TEXT NOT NULL,
    boot_id    TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,             -- monotonic, valid within boot_id
    expires_us INTEGER NOT NULL,             -- wall, used only after a reboot and with a good clock
    ended_us   INTEGER,
    reason     TEXT NOT NULL DEFAULT '',
    resolved_by TEXT NOT NULL DEFAULT '',
    duration_s REAL
) STRICT;
INSERT INTO "commands" VALUES(1,'cmd_1795237359600_hln3hemn6','A0B7650C2D31','display_qr','superseded',NULL,X'5017849CF6D03AF9595C9CE50101486C',NULL,'','key:first-admin',NULL,0,1795237359600556,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6955039,1795237419600556,1795237359601696,'Replaced by cmd_1795237359601_60xyvu1pz.','',NULL);
INSERT INTO "commands" VALUES(2,'cmd_1795237359601_60xyvu1pz','A0B7650C2D31','display_qr','superseded',NULL,X'546B97EBD57319C6B147225F83FFFE9B',NULL,'','key:first-admin',NULL,0,1795237359601643,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6955040,1795237419601643,1795237359602457,'Replaced by cmd_1795237359602_lsu8btetj.','',NULL);
INSERT INTO "commands" VALUES(3,'cmd_1795237359602_lsu8btetj','A0B7650C2D31','display_qr','sent','{"payload":"upi://pay?tr=2"}',X'C2EB8577FEC34C2E250C95DF6857E095',NULL,'','key:first-admin',1,1,1795237359602382,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6955041,1795237419602382,NULL,'','',NULL);
CREATE TABLE device_aliases (
    system    TEXT NOT NULL,
    alias     TEXT NOT NULL,
    device_id TEXT NOT NULL REFERENCES devices(id),
    PRIMARY KEY (system, alias)
) STRICT, WITHOUT ROWID;
INSERT INTO "device_aliases" VALUES('serial','A0B7650C2D31','A0B7650C2D31');
CREATE TABLE devices (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    profile     TEXT NOT NULL,               -- what it speaks: native, nic-display, nic-client
    state       TEXT NOT NULL,               -- pending, approved, forgotten
    panel       TEXT NOT NULL DEFAULT '',
    token_hash  BLOB UNIQUE,
    epoch       TEXT NOT NULL DEFAULT '',    -- the device's own, new when its flash was erased
    last_seq    INTEGER NOT NULL DEFAULT 0,  -- highest command number handed to it
    facts       TEXT NOT NULL DEFAULT '{}',  -- what it says of itself, JSON
    created_us  INTEGER NOT NULL,
    approved_us INTEGER,
    approved_by TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO "devices" VALUES('A0B7650C2D31','Front desk','display','native','approved','tft-320x480',NULL,'',1,'{"fw":"0.1.0"}',1795237359599449,1795237359599449,'auto-approve');
CREATE TABLE idempotency (
    actor      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BLOB NOT NULL,
    command_id TEXT NOT NULL,
    at_us      INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency" VALUES('key:first-admin','k0',X'222400B15904FF25CF6CAD0C5C3D735E','cmd_1795237359600_hln3hemn6',1795237359600674);
INSERT INTO "idempotency" VALUES('key:first-admin','k1',X'22546E06EF5C8817D4E93D4B01729F3E','cmd_1795237359601_60xyvu1pz',1795237359601696);
INSERT INTO "idempotency" VALUES('key:first-admin','k2',X'566B70B58F2E7010D03FC8812B1F9A37','cmd_1795237359602_lsu8btetj',1795237359602457);
CREATE TABLE keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    scope      TEXT NOT NULL DEFAULT '',
    hash       BLOB NOT NULL UNIQUE,
    weak       INTEGER NOT NULL DEFAULT 0,
    created_us INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_us INTEGER
) STRICT;
INSERT INTO "keys" VALUES('62c776a6','first-admin','admin','',X'7245A02B9FF1C9BD350F94BCD5BDB946B0091A4E7B48130651DDC1D492770C25',0,1795237359598366,'setup',NULL);
CREATE TABLE ledger (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    at_us   INTEGER NOT NULL,
    quality TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    body    TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES(1,'key.created','62c776a6',1795237359598421,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895037,'{"by":"setup","name":"first-admin","role":"admin","scope":"","weak":false}',X'4B9FC52A76893451776EC6ED2075FA68');
INSERT INTO "ledger" VALUES(2,'device.registered','A0B7650C2D31',1795237359599590,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895038,'{"alias":"A0B7650C2D31","profile":"native","state":"approved"}',X'2B8E839945BDAB6765C18DD4728D5667');
INSERT INTO "ledger" VALUES(3,'command.queued','cmd_1795237359600_hln3hemn6',1795237359600674,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895039,'{"actor":"key:first-admin","args_hash":"5017849cf6d03af9595c9ce50101486c","device":"A0B7650C2D31","kind":"display_qr"}',X'E31F500F5F522F09ED4B801B6CC89522');
INSERT INTO "ledger" VALUES(4,'command.queued','cmd_1795237359601_60xyvu1pz',1795237359601696,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895040,'{"actor":"key:first-admin","args_hash":"546b97ebd57319c6b147225f83fffe9b","device":"A0B7650C2D31","kind":"display_qr"}',X'A422A7F1E572F8E38075BEA50F17DF60');
INSERT INTO "ledger" VALUES(5,'command.superseded','cmd_1795237359600_hln3hemn6',1795237359601696,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895040,'{"device":"A0B7650C2D31","reason":"Replaced by cmd_1795237359601_60xyvu1pz."}',X'09C75A6B8001975F3D69FD85FB6E0138');
INSERT INTO "ledger" VALUES(6,'command.queued','cmd_1795237359602_lsu8btetj',1795237359602457,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895041,'{"actor":"key:first-admin","args_hash":"c2eb8577fec34c2e250c95df6857e095","device":"A0B7650C2D31","kind":"display_qr"}',X'69D28D58C10AD2A64B3C01948A05445A');
INSERT INTO "ledger" VALUES(7,'command.superseded','cmd_1795237359601_60xyvu1pz',1795237359602457,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895041,'{"device":"A0B7650C2D31","reason":"Replaced by cmd_1795237359602_lsu8btetj."}',X'38AA86F9B85832F02C5577659ABBB080');
INSERT INTO "ledger" VALUES(8,'command.sent','cmd_1795237359602_lsu8btetj',1795237359603227,'none','3f0bfcfc-e351-42d2-aa4f-6061013e172c',6895042,'{"attempt":1,"device":"A0B7650C2D31","link":"serial /dev/ttyUSB0 @115200","seq":1}',X'BBC3184E81C73FEBE59E6D01C93CF2D2');
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('epoch','ab9867d29e94f976');
CREATE TABLE pending_reports (
    id        INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices(id),
    at_us     INTEGER NOT NULL,
    body      TEXT NOT NULL
) STRICT;
CREATE TABLE presence (
    device_id   TEXT PRIMARY KEY REFERENCES devices(id),
    evidence_us INTEGER NOT NULL,
    quality     TEXT NOT NULL,
    how         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE workstations (
    computer_key  TEXT NOT NULL,             -- the name as compared: trimmed, caseless
    device_id     TEXT NOT NULL REFERENCES devices(id),
    computer_name TEXT NOT NULL,
    bound_us      INTEGER NOT NULL,
    bound_by      TEXT NOT NULL,
    PRIMARY KEY (computer_key, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_reports_device ON pending_reports(device_id, id);
CREATE UNIQUE INDEX agent_sessions_agent  ON agent_sessions(agent_id)  WHERE ended_us IS NULL;
CREATE UNIQUE INDEX agent_sessions_device ON agent_sessions(device_id) WHERE ended_us IS NULL;
CREATE INDEX commands_open   ON commands(device_id) WHERE ended_us IS NULL;
CREATE INDEX commands_device ON commands(device_id);
COMMIT;
