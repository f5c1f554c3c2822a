-- The audit trail: what was done and what was refused, append-only. Each app has a chain of its own, and chain 0 is that of
-- what is done above all apps. A chain outlives its app and the accounts of those who acted.

-- The end of each chain, and what the oldest entry that is still kept follows. Whoever adds an entry locks this row last of
-- all, so a transaction holds it for no longer than its commit takes.
CREATE TABLE audit_chains (
    chain       bigint PRIMARY KEY CHECK (chain >= 0),
    seq         bigint NOT NULL,
    hash        bytea NOT NULL,
    anchor_seq  bigint NOT NULL DEFAULT 0,
    anchor_hash bytea NOT NULL DEFAULT ''
);

-- `entry` is the text that is hashed, with all that there is to say; the other columns are for finding it.
CREATE TABLE audit_entries (
    chain    bigint NOT NULL REFERENCES audit_chains,
    seq      bigint NOT NULL,
    at       timestamptz NOT NULL,
    actor_id bigint,
    action   text NOT NULL,
    refused  boolean NOT NULL,
    entry    text NOT NULL,
    hash     bytea NOT NULL,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_entries_at_idx ON audit_entries (at);
CREATE INDEX audit_entries_actor_id_idx ON audit_entries (actor_id, at) WHERE actor_id IS NOT NULL;

-- Behind the second wall as everything is, with the chain for the app; what belongs to no app is seen where no app is.
DO $$
DECLARE fenced regclass;
BEGIN
    FOREACH fenced IN ARRAY ARRAY['audit_chains', 'audit_entries']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
        EXECUTE format(
            'CREATE POLICY of_one_app ON %s USING ('
            '(SELECT current_setting(''omni.app'', true)) = ''*'' '
            'OR chain = (SELECT CASE WHEN current_setting(''omni.app'', true) ~ ''^[0-9]+$'' '
            'THEN current_setting(''omni.app'', true)::bigint ELSE 0 END))',
            fenced);
    END LOOP;
END $$;

CREATE FUNCTION omni_refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('omni.audit_retention', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'the audit trail is append-only';
    END IF;
    RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION omni_refuse_to_rewrite();
CREATE TRIGGER audit_entries_stay_all BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION omni_refuse_to_rewrite();

-- The only way for entries to go: the oldest of each chain, once they are old enough. What the first one that stays follows
-- is remembered, so that the rest can still be checked.
CREATE FUNCTION omni_forget_audit(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE forgotten bigint;
BEGIN
    PERFORM set_config('omni.audit_retention', 'on', true);
    WITH newest AS (
        SELECT DISTINCT ON (chain) chain, seq, hash FROM audit_entries WHERE at < before ORDER BY chain, seq DESC
    ), moved AS (
        UPDATE audit_chains c SET anchor_seq = n.seq, anchor_hash = n.hash FROM newest n WHERE c.chain = n.chain
        RETURNING c.chain, n.seq
    ), gone AS (
        DELETE FROM audit_entries e USING moved m WHERE e.chain = m.chain AND e.seq <= m.seq RETURNING 1
    )
    SELECT count(*) INTO forgotten FROM gone;
    PERFORM set_config('omni.audit_retention', '', true);
    RETURN forgotten;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'omni_behind_the_wall') THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_entries FROM omni_behind_the_wall;
        REVOKE DELETE, TRUNCATE ON audit_chains FROM omni_behind_the_wall;
    END IF;
END $$;
