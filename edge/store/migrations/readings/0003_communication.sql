-- What went to and came from each device. A line without a direction is one the device logged, or the hub noted.

ALTER TABLE device_log ADD COLUMN direction TEXT NOT NULL DEFAULT '';  -- in, out
ALTER TABLE device_log ADD COLUMN channel   TEXT NOT NULL DEFAULT '';  -- http, serial, udp
