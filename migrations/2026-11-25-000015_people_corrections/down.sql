DROP POLICY of_one_app ON chunk_vectors;
ALTER TABLE chunk_vectors NO FORCE ROW LEVEL SECURITY;
ALTER TABLE chunk_vectors DISABLE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION omni_forget_audit(before timestamptz) RETURNS bigint
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
