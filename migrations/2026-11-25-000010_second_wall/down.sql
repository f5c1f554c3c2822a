DO $$
DECLARE fenced regclass;
BEGIN
    FOR fenced IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'of_one_app' LOOP
        EXECUTE format('DROP POLICY of_one_app ON %s', fenced);
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', fenced);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', fenced);
    END LOOP;
    -- The role stays: other databases of the server may use it.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'omni_behind_the_wall') THEN
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON TABLES FROM omni_behind_the_wall', current_schema);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON SEQUENCES FROM omni_behind_the_wall', current_schema);
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM omni_behind_the_wall', current_schema);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM omni_behind_the_wall', current_schema);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM omni_behind_the_wall', current_schema);
    END IF;
END $$;
DROP FUNCTION omni_fence(regclass);
