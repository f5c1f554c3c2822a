-- How much of what somebody may do so often a minute is used up: one row for each kind and each of whom it is counted.
CREATE TABLE allowances (
    kind    text NOT NULL,
    subject text NOT NULL,
    began   timestamptz NOT NULL,
    used    bigint NOT NULL,
    PRIMARY KEY (kind, subject)
) WITH (fillfactor = 80);
CREATE INDEX allowances_began_idx ON allowances (began);
