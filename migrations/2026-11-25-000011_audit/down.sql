DROP FUNCTION omni_forget_audit(timestamptz);
DROP TABLE audit_entries, audit_chains;
DROP FUNCTION omni_refuse_to_rewrite();
