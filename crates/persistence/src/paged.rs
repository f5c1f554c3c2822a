use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use omni_domain::{Page, PageRequest};

use crate::app_scoped::count;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

impl Store {
    /// One page of what `from` picks, and how much it picks in all: two statements that go out together. `from` writes
    /// everything between the columns and the order.
    pub(crate) async fn page_of<Row, T>(
        &self,
        sight: Sight,
        columns: &'static str,
        from: impl Fn(Statement) -> Statement,
        order: &'static str,
        request: PageRequest,
    ) -> Result<Page<T>, StoreError>
    where
        Row: QueryableByName<Pg> + Send + 'static,
        T: TryFrom<Row, Error = StoreError>,
    {
        let lent = self.lend(sight).await?;
        let connection: &AsyncPgConnection = &lent;
        let (mut counting, mut reading) = (connection, connection);
        let wanted = from(Statement::new("SELECT ").sql(columns))
            .sql(" ORDER BY ")
            .sql(order)
            .sql(" LIMIT ")
            .int(request.limit())
            .sql(" OFFSET ")
            .int(request.offset());
        let (total, rows) = futures::try_join!(
            from(Statement::new("SELECT count(*) AS total")).get_result::<Total>(&mut counting),
            wanted.load::<Row>(&mut reading),
        )?;
        let items = rows.into_iter().map(T::try_from).collect::<Result<_, _>>()?;
        Ok(Page { items, total: count(total.total)?, request })
    }
}
