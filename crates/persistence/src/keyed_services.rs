//! Services with a provider's key, of whatever kind: how they are stored and changed, each with its key sealed beside it.

/// A provider's key as it is kept: sealed, beside the mask that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// What only the master key opens.
    pub sealed: Vec<u8>,
    /// What stands in for it.
    pub mask: String,
}

/// What becomes of the stored key in an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredKey {
    /// It stays.
    Keep,
    /// It becomes this, or none.
    Replace(Option<SealedKey>),
}

/// Gives [`Store`](crate::Store) the methods of a kind of service with a key: reserve, create, update, and read the key.
/// `before_update` may refuse a change in its transaction.
macro_rules! keyed_service {
    (
        $entity:ident,
        id: $id:ident,
        table: $table:ident,
        row: $row:ident,
        columns: $columns:ident,
        methods: [$reserve:ident, $create:ident, $update:ident, $key:ident],
        before_update: $before_update:ident,
    ) => {
        impl crate::Store {
            /// Sets a number aside for a service that is about to be made, so that its key can be bound to it.
            ///
            /// # Errors
            /// [`StoreError::Unavailable`] if the server is away.
            pub async fn $reserve(&self, _grant: &omni_rbac::Grant<omni_rbac::Editor>) -> Result<$id, StoreError> {
                #[derive(diesel::QueryableByName)]
                struct Reserved {
                    #[diesel(sql_type = diesel::sql_types::BigInt)]
                    id: i64,
                }
                let sequence =
                    concat!("SELECT nextval(pg_get_serial_sequence('", stringify!($table), "', 'service_id')) AS id");
                let reserved: Reserved = crate::statement::Statement::new(sequence)
                    .get_result(&mut self.lend(crate::connection::Sight::NoApp).await?)
                    .await?;
                Ok($id::new(reserved.id))
            }

            /// Stores a new service in the grant's app, under the number that it carries.
            ///
            /// # Errors
            /// [`StoreError::Conflict`] if the name is taken.
            pub async fn $create(
                &self,
                grant: &omni_rbac::Grant<omni_rbac::Editor>,
                service: &$entity,
                key: Option<&crate::SealedKey>,
            ) -> Result<$entity, StoreError> {
                let mut lent = self.lend(crate::connection::Sight::of(grant)).await?;
                lent.transaction(async |connection| {
                    let row: $row = diesel::insert_into($table::table)
                        .values((
                            $columns::from(service),
                            $table::service_id.eq(service.id.get()),
                            $table::app_id.eq(grant.app().get()),
                            $table::create_date.eq(service.created),
                            $table::api_key_sealed.eq(key.map(|key| key.sealed.as_slice())),
                            $table::api_key_mask.eq(key.map(|key| key.mask.as_str())),
                        ))
                        .returning($row::as_returning())
                        .get_result(connection)
                        .await?;
                    let made = $entity::try_from(row)?;
                    let deed = omni_domain::Deed::create(&made);
                    crate::audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
                    Ok(made)
                })
                .await
            }

            /// Changes a service of the grant's app: `change` gets it as it is now and says what becomes of it and of its key,
            /// and nobody else changes either meanwhile. What `change` refuses is answered inside.
            ///
            /// # Errors
            /// [`StoreError::NotFound`] if the app has no such service, [`StoreError::Conflict`] if its new name is taken or
            /// what depends on it forbids the change.
            pub async fn $update<E: Send>(
                &self,
                grant: &omni_rbac::Grant<omni_rbac::Editor>,
                id: $id,
                change: impl FnOnce($entity) -> Result<($entity, crate::StoredKey), E> + Send,
            ) -> Result<Result<$entity, E>, StoreError> {
                let wanted =
                    $table::table.filter($table::app_id.eq(grant.app().get())).filter($table::service_id.eq(id.get()));
                let mut lent = self.lend(crate::connection::Sight::of(grant)).await?;
                lent.transaction(async |connection| {
                    let stored: $row = wanted.select($row::as_select()).for_no_key_update().first(connection).await?;
                    let stored = $entity::try_from(stored)?;
                    let (next, key) = match change(stored.clone()) {
                        Ok(next) => next,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    $before_update(connection, &stored, &next).await?;
                    if let crate::StoredKey::Replace(key) = &key {
                        let columns = (
                            $table::api_key_sealed.eq(key.as_ref().map(|key| key.sealed.as_slice())),
                            $table::api_key_mask.eq(key.as_ref().map(|key| key.mask.as_str())),
                        );
                        diesel::update(wanted).set(columns).execute(connection).await?;
                    }
                    let row: $row = diesel::update(wanted)
                        .set($columns::from(&next))
                        .returning($row::as_returning())
                        .get_result(connection)
                        .await?;
                    let next = $entity::try_from(row)?;
                    let deed = match key {
                        // Two keys may end alike.
                        crate::StoredKey::Replace(_) if stored.key_mask == next.key_mask => {
                            omni_domain::Deed::update(&$entity { key_mask: None, ..stored }, &next)
                        }
                        _ => omni_domain::Deed::update(&stored, &next),
                    };
                    crate::audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
                    Ok(Ok(next))
                })
                .await
            }

            /// The sealed key of a service of the grant's app.
            ///
            /// # Errors
            /// [`StoreError::NotFound`] if the app has no such service.
            pub async fn $key(
                &self,
                grant: &omni_rbac::Grant<omni_rbac::Viewer>,
                id: $id,
            ) -> Result<Option<Vec<u8>>, StoreError> {
                Ok($table::table
                    .filter($table::app_id.eq(grant.app().get()))
                    .filter($table::service_id.eq(id.get()))
                    .select($table::api_key_sealed)
                    .first(&mut self.lend(crate::connection::Sight::of(grant)).await?)
                    .await?)
            }
        }
    };
}
pub(crate) use keyed_service;
