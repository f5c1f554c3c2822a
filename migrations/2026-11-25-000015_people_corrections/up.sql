-- Two replicas may forget at the same time, the one by a clock that is behind: what a chain begins after only ever moves ahead.
CREATE OR REPLACE FUNCTION omni_forget_audit(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE forgotten bigint;
BEGIN
    PERFORM set_config('omni.audit_retention', 'on', true);
    WITH newest AS (
        SELECT DISTINCT ON (chain) chain, seq, hash FROM audit_entries WHERE at < before ORDER BY chain, seq DESC
    ), moved AS (
        UPDATE audit_chains c SET anchor_seq = n.seq, anchor_hash = n.hash FROM newest n
        WHERE c.chain = n.chain AND n.seq > c.anchor_seq
        RETURNING c.chain, n.seq
    ), gone AS (
        DELETE FROM audit_entries e USING moved m WHERE e.chain = m.chain AND e.seq <= m.seq RETURNING 1
    )
    SELECT count(*) INTO forgotten FROM gone;
    PERFORM set_config('omni.audit_retention', '', true);
    RETURN forgotten;
END $$;

-- Vectors are behind the second wall, too, by their silos, which are. Their order is no condition, so their indexes are walked
-- as before; the silos of an app are looked up once a statement. The words of passages stay outside: what compares words
-- is not leakproof, and their index could not be used (ADR 9).
ALTER TABLE chunk_vectors ENABLE ROW LEVEL SECURITY;
ALTER TABLE chunk_vectors FORCE ROW LEVEL SECURITY;
CREATE POLICY of_one_app ON chunk_vectors USING (
    (SELECT current_setting('omni.app', true)) = '*' OR silo_id IN (SELECT s.silo_id FROM silos s));
