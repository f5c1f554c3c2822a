use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Deed, Timestamp, User, UserId};
use omni_rbac::Session;

use crate::audit;
use crate::connection::Sight;
use crate::schema::users;
use crate::{Store, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub(crate) struct UserRow {
    pub(crate) user_id: i64,
    email: String,
    pub(crate) email_verified: bool,
    name: String,
    pub(crate) is_active: bool,
    create_date: Timestamp,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId::new(row.user_id),
            email: row.email,
            email_verified: row.email_verified,
            name: row.name,
            is_active: row.is_active,
            created: row.create_date,
        }
    }
}

impl Store {
    /// The person with this address, made if there is none; `name` is only for a new one. The address counts as theirs:
    /// outside FAKE mode nobody enters the account who has not proven it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn person_by_email(&self, email: &str, name: &str, now: Timestamp) -> Result<User, StoreError> {
        person_by_email(&mut *self.lend(Sight::NoApp).await?, email, name, now).await
    }

    /// Gives the signed-in person another name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the account is gone.
    pub async fn rename_person(&self, session: &Session, name: &str) -> Result<User, StoreError> {
        let own = users::table.find(session.user_id().get());
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            let before: UserRow = own.select(UserRow::as_select()).for_no_key_update().first(connection).await?;
            let after: UserRow = diesel::update(own)
                .set(users::name.eq(name))
                .returning(UserRow::as_returning())
                .get_result(connection)
                .await?;
            let after = User::from(after);
            let deed = Deed::update(&before.into(), &after).called("profile.update");
            audit::record(connection, None, session.by(), &deed).await?;
            Ok(after)
        })
        .await
    }
}

pub(crate) async fn person_by_email(
    connection: &mut AsyncPgConnection,
    email: &str,
    name: &str,
    now: Timestamp,
) -> Result<User, StoreError> {
    let known = users::table
        .filter(users::email.eq(email))
        .select(UserRow::as_select())
        .first::<UserRow>(connection)
        .await
        .optional()?;
    if let Some(known) = known {
        return Ok(known.into());
    }
    // Two first sign-ins at once meet here: the second one finds the row of the first.
    let row: UserRow = diesel::insert_into(users::table)
        .values((
            users::email.eq(email),
            users::email_verified.eq(true),
            users::name.eq(name),
            users::is_active.eq(true),
            users::create_date.eq(now),
        ))
        .on_conflict(users::email)
        .do_update()
        .set(users::email.eq(email))
        .returning(UserRow::as_returning())
        .get_result(connection)
        .await?;
    Ok(row.into())
}
