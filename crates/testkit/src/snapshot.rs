use std::collections::BTreeMap;

use crate::Connection;

/// What is stored in every table: how many rows, and a checksum of them. Two of them are equal if nothing was written in
/// between. The processes that say that they are alive are left out: they do so all the time. So is what is written of those
/// who were refused, and the notes of what is gone, which are worked off all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, (i64, String)>);

impl Snapshot {
    pub(crate) async fn take(sql: &Connection) -> Self {
        let tables = sql
            .query(
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' \
                 AND table_name NOT IN ('runners', 'audit_chains', 'audit_entries', 'allowances', 'forgotten_blobs', 'forgotten_points', '__diesel_schema_migrations')",
                &[],
            )
            .await
            .unwrap();
        let parts: Vec<String> = tables
            .iter()
            .map(|row| row.get::<_, String>(0))
            .map(|table| {
                format!(
                    "SELECT '{table}', count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') \
                     FROM \"{table}\" t"
                )
            })
            .collect();
        let rows = sql.query(&parts.join(" UNION ALL "), &[]).await.unwrap();
        Self(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// If there is no such table.
    #[must_use]
    pub fn rows(&self, table: &str) -> i64 {
        self.0[table].0
    }
}
