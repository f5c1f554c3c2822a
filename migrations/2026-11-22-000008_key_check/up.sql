-- Sealed with the master key: whoever comes with another key than the one that sealed this installation's secrets is told.
ALTER TABLE installation ADD COLUMN key_check bytea;
