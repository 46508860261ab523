-- When somebody said that a row the centre would not take shall not be sent again: it is left out for good.
ALTER TABLE dead_letters ADD COLUMN discarded_us INTEGER;
