-- The second wall: whatever a statement forgot to ask for, it sees the rows of one app. Which one, the connection says in
-- `omni.app` before its statements: a number, `*` for what acts above all apps, and anything else for none.

-- Puts a table of apps behind the wall. Every table with an `app_id` is; a test says which one is not.
CREATE FUNCTION omni_fence(fenced regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', fenced);
    -- Its owner too.
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', fenced);
    -- Each subquery is read once a statement, not once a row.
    EXECUTE format(
        'CREATE POLICY of_one_app ON %s USING ('
        '(SELECT current_setting(''omni.app'', true)) = ''*'' '
        'OR app_id = (SELECT CASE WHEN current_setting(''omni.app'', true) ~ ''^[0-9]+$'' '
        'THEN current_setting(''omni.app'', true)::bigint END))',
        fenced);
END $$;

SELECT omni_fence(fenced) FROM unnest(ARRAY[
    'apps', 'collaborations', 'ai_services', 'agents', 'conversations', 'turns', 'messages', 'usage_daily', 'api_keys',
    'app_minutes']::regclass[]) AS fenced;

-- PostgreSQL lets superusers through every wall. Where one of them connects, it steps down to this role for its work.
DO $$
BEGIN
    IF NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) THEN
        RETURN;
    END IF;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'omni_behind_the_wall') THEN
            CREATE ROLE omni_behind_the_wall NOLOGIN;
        END IF;
    EXCEPTION
        -- Roles belong to the server: the migration of another database has just made it.
        WHEN duplicate_object OR unique_violation THEN NULL;
        -- Then `omni-api` says at its start that there is no second wall, and what to do.
        WHEN insufficient_privilege THEN RETURN;
    END;
    IF NOT pg_has_role(current_user, 'omni_behind_the_wall', 'MEMBER') THEN
        EXECUTE format('GRANT omni_behind_the_wall TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO omni_behind_the_wall', current_schema);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO omni_behind_the_wall', current_schema);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO omni_behind_the_wall', current_schema);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO omni_behind_the_wall',
        current_schema);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO omni_behind_the_wall',
        current_schema);
END $$;
