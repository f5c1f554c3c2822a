//! What PostgreSQL says of the schema, as lines that can be compared.

use omni_testkit::Connection;

/// Columns, constraints and indexes, one a line; the record of the migrations themselves is left out.
pub(crate) async fn dump(sql: &Connection) -> Vec<String> {
    let lines = sql
        .query(
            "SELECT format('column %s.%s %s null:%s default:%s identity:%s', table_name, column_name, udt_name, \
                 is_nullable, column_default, is_identity) \
               FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%' \
             UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) \
               FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_diesel%' \
             UNION ALL SELECT format('index %s', indexdef) \
               FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_diesel%' \
             UNION ALL SELECT format('type %s', typname) \
               FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%\\_\\_diesel%' \
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_type.oid AND d.deptype = 'e') \
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_type.typelem AND d.deptype = 'e') \
             ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    lines.iter().map(|row| row.get(0)).collect()
}
