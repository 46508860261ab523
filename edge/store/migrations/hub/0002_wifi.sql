-- Devices on the network: the key each shares with the hub, how far it is trusted, and whose it is.

ALTER TABLE devices ADD COLUMN link_key  BLOB;                            -- what its requests are signed with
ALTER TABLE devices ADD COLUMN trust     TEXT NOT NULL DEFAULT 'none';    -- none, paired, confirmed
ALTER TABLE devices ADD COLUMN epoch_new INTEGER NOT NULL DEFAULT 0;      -- its flash was erased: nothing physical yet
ALTER TABLE devices ADD COLUMN owner     TEXT NOT NULL DEFAULT '';        -- the account it belongs to, '' for none
