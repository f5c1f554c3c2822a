ALTER TABLE sessions RESET (fillfactor);
ALTER TABLE sessions
    DROP COLUMN session_id,
    DROP COLUMN way,
    DROP COLUMN last_seen,
    DROP COLUMN idle_seconds,
    DROP COLUMN user_agent,
    DROP COLUMN address;
DROP TABLE sign_in_attempts;
DROP TABLE identities;
ALTER TABLE users DROP COLUMN email_verified;
