//! What all kinds of things in an app share, written once.

use std::future::Future;

use omni_domain::{Page, PageRequest};
use omni_rbac::{Editor, Grant, Viewer};

use crate::{Store, StoreError};

/// A kind of thing that belongs to an app and is listed, found and deleted by its members.
pub trait AppScoped: Sized + Send {
    /// What one of them is named by.
    type Id: Copy + Send + Sync;

    /// One page of those of the grant's app, oldest first.
    fn list(
        store: &Store,
        grant: &Grant<Viewer>,
        page: PageRequest,
    ) -> impl Future<Output = Result<Page<Self>, StoreError>> + Send;

    /// The one with this id, if the grant's app has it.
    fn find(
        store: &Store,
        grant: &Grant<Viewer>,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Removes the one with this id and all that belongs to it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the grant's app has none, [`StoreError::Conflict`] if something else still uses it.
    fn delete(
        store: &Store,
        grant: &Grant<Editor>,
        id: Self::Id,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Implements [`AppScoped`] for an entity over its table. `in_use` names a function that says what still uses the thing;
/// it runs in the transaction of the deletion, with the row locked.
macro_rules! app_scoped {
    ($entity:ty, id: $id:ty, table: $table:ident.$key:ident, row: $row:ty $(, in_use: $in_use:path)?) => {
        impl $crate::AppScoped for $entity {
            type Id = $id;

            async fn list(
                store: &$crate::Store,
                grant: &omni_rbac::Grant<omni_rbac::Viewer>,
                page: omni_domain::PageRequest,
            ) -> Result<omni_domain::Page<Self>, $crate::StoreError> {
                let lent = store.lend($crate::connection::Sight::of(grant)).await?;
                let of_app = $table::app_id.eq(grant.app().get());
                let connection: &diesel_async::AsyncPgConnection = &lent;
                // Both statements go out together: one round trip.
                let (mut counting, mut reading) = (connection, connection);
                let (total, rows) = futures::try_join!(
                    $table::table.filter(of_app).count().get_result::<i64>(&mut counting),
                    $table::table
                        .filter(of_app)
                        .order($table::$key.asc())
                        .limit(page.limit())
                        .offset(page.offset())
                        .select(<$row>::as_select())
                        .load::<$row>(&mut reading),
                )?;
                Ok(omni_domain::Page {
                    items: rows.into_iter().map(<$entity>::try_from).collect::<Result<_, _>>()?,
                    total: $crate::app_scoped::count(total)?,
                    request: page,
                })
            }

            async fn find(
                store: &$crate::Store,
                grant: &omni_rbac::Grant<omni_rbac::Viewer>,
                id: $id,
            ) -> Result<Option<Self>, $crate::StoreError> {
                $table::table
                    .filter($table::app_id.eq(grant.app().get()))
                    .filter($table::$key.eq(id.get()))
                    .select(<$row>::as_select())
                    .first::<$row>(&mut store.lend($crate::connection::Sight::of(grant)).await?)
                    .await
                    .optional()?
                    .map(<$entity>::try_from)
                    .transpose()
            }

            async fn delete(
                store: &$crate::Store,
                grant: &omni_rbac::Grant<omni_rbac::Editor>,
                id: $id,
            ) -> Result<(), $crate::StoreError> {
                let app = grant.app();
                let mut lent = store.lend($crate::connection::Sight::of(grant)).await?;
                lent.transaction(async |connection| {
                    let wanted =
                        $table::table.filter($table::app_id.eq(app.get())).filter($table::$key.eq(id.get()));
                    let gone: $row = wanted.select(<$row>::as_select()).for_update().first(connection).await?;
                    let gone = <$entity>::try_from(gone)?;
                    $($in_use(connection, app, id).await?;)?
                    diesel::delete(wanted).execute(connection).await?;
                    let deed = omni_domain::Deed::delete(&gone);
                    $crate::audit::record(connection, Some(app), grant.by(), &deed).await
                })
                .await
            }
        }
    };
}
pub(crate) use app_scoped;

/// How many users of a thing a refusal names.
pub(crate) const NAMED: i64 = 5;

/// Names as a refusal has them.
pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// A `count(*)` as the number that it is.
pub(crate) fn count(count: i64) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_| StoreError::inconsistent(format!("a count of {count}")))
}

/// A stored number that the schema keeps within `u32`.
pub(crate) fn small(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::inconsistent(format!("{number} where a 32-bit number belongs")))
}

/// A stored number that may be absent.
pub(crate) fn optional_small(number: Option<i64>) -> Result<Option<u32>, StoreError> {
    number.map(small).transpose()
}
