//! Proof of the second wall: that PostgreSQL shows a connection no rows but those that it may see.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use omni_rbac::{Grant, SystemGrant, Viewer};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// The tables of apps: those with an `app_id`.
const OF_APPS: &str = "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'app_id' \
    AND NOT a.attisdropped WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema::regnamespace";

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

impl Store {
    /// The tables of apps that the wall does not hold for: none, unless the login passes through it and could not make a
    /// role to step down to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn gaps_in_second_wall(&self, _leave: &SystemGrant) -> Result<Vec<String>, StoreError> {
        let gaps: Vec<TableRow> = Statement::new("SELECT c.relname::text AS name ")
            .sql(OF_APPS)
            .sql(" AND NOT row_security_active(c.oid) ORDER BY 1")
            .load(&mut self.lend(Sight::NoApp).await?)
            .await?;
        Ok(gaps.into_iter().map(|gap| gap.name).collect())
    }

    /// How many rows a statement without any filter finds with this grant, in each table of apps: those of the grant's
    /// app. It is what the first wall is for, gone around on purpose; only proofs need it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn rows_without_filter(&self, grant: &Grant<Viewer>) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut lent = self.lend(Sight::of(grant)).await?;
        let tables: Vec<TableRow> =
            Statement::new("SELECT c.relname::text AS name ").sql(OF_APPS).load(&mut lent).await?;
        let mut found = BTreeMap::new();
        for TableRow { name } in tables {
            // The name is of the schema's, and nobody's text.
            let counted: CountRow =
                diesel::sql_query(format!("SELECT count(*) AS rows FROM \"{name}\"")).get_result(&mut lent).await?;
            found.insert(name, count(counted.rows)?);
        }
        Ok(found)
    }
}
