-- How many turns an app has begun in its latest minute; only of apps that have a limit. What is deleted later still counts.
CREATE TABLE app_minutes (
    app_id bigint PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
    minute timestamptz NOT NULL,
    turns  bigint NOT NULL
);
