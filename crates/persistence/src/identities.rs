//! Whose account it is: an identity of the provider belongs to one account, and an account to one identity.

use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Timestamp, User};

use crate::connection::Sight;
use crate::people::UserRow;
use crate::schema::users;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// Somebody whom the identity provider signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The provider.
    pub issuer: String,
    /// What the provider calls the person, and nobody else.
    pub subject: String,
    /// The person's address, in lower case, if the provider gives one.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// What a new account is called.
    pub name: String,
}

/// What becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The account is theirs: from before, by the address that they proved, or made for them.
    Admitted(User),
    /// They have no account, and an account takes an address.
    NoAddress,
    /// There is an account with their address, and nobody has proven that it is theirs.
    Unproven,
    /// The account with their address is somebody else's.
    Taken,
}

impl Store {
    /// Finds or makes the account of somebody whom the identity provider signed in.
    ///
    /// An identity is known by issuer and subject. Only where it is new does the address count: an account that nobody has
    /// entered by a provider yet becomes theirs if the address is proven, and an account that has an identity never does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn admit(&self, newcomer: &Newcomer, now: Timestamp) -> Result<Admission, StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            // Who signs in twice at once, or with somebody else by the same address, waits for the other here.
            lock(connection, &format!("identity {} {}", newcomer.issuer, newcomer.subject)).await?;
            if let Some(known) = by_identity(connection, newcomer).await? {
                return Ok(Admission::Admitted(confirmed(connection, newcomer, known).await?));
            }
            let Some(email) = &newcomer.email else { return Ok(Admission::NoAddress) };
            lock(connection, &format!("address {email}")).await?;
            let account: Option<UserRow> = users::table
                .filter(users::email.eq(email))
                .select(UserRow::as_select())
                .for_update()
                .first(connection)
                .await
                .optional()?;
            let account = match account {
                None => make(connection, newcomer, email, now).await?,
                Some(account) if has_identity(connection, account.user_id).await? => return Ok(Admission::Taken),
                Some(_) if !newcomer.email_verified => return Ok(Admission::Unproven),
                Some(account) => confirmed(connection, newcomer, account).await?,
            };
            link(connection, newcomer, account.id.get(), now).await?;
            Ok(Admission::Admitted(account))
        })
        .await
    }
}

async fn lock(connection: &mut AsyncPgConnection, name: &str) -> Result<(), StoreError> {
    Statement::new("SELECT pg_advisory_xact_lock(hashtextextended(")
        .text(name)
        .sql(", 0))")
        .execute(connection)
        .await?;
    Ok(())
}

async fn by_identity(connection: &mut AsyncPgConnection, newcomer: &Newcomer) -> Result<Option<UserRow>, StoreError> {
    let Some(Owner { user_id }) = Statement::new("SELECT user_id FROM identities WHERE issuer = ")
        .text(newcomer.issuer.as_str())
        .sql(" AND subject = ")
        .text(newcomer.subject.as_str())
        .get_result(connection)
        .await
        .optional()?
    else {
        return Ok(None);
    };
    Ok(Some(users::table.find(user_id).select(UserRow::as_select()).first(connection).await?))
}

async fn has_identity(connection: &mut AsyncPgConnection, user: i64) -> Result<bool, StoreError> {
    let owner: Option<Owner> = Statement::new("SELECT user_id FROM identities WHERE user_id = ")
        .int(user)
        .get_result(connection)
        .await
        .optional()?;
    Ok(owner.is_some())
}

/// Notes that the account's address is its owner's, once the provider says so.
async fn confirmed(
    connection: &mut AsyncPgConnection,
    newcomer: &Newcomer,
    account: UserRow,
) -> Result<User, StoreError> {
    let account = User::from(account);
    if account.email_verified || !newcomer.email_verified || newcomer.email.as_ref() != Some(&account.email) {
        return Ok(account);
    }
    let row: UserRow = diesel::update(users::table.find(account.id.get()))
        .set(users::email_verified.eq(true))
        .returning(UserRow::as_returning())
        .get_result(connection)
        .await?;
    Ok(row.into())
}

async fn make(
    connection: &mut AsyncPgConnection,
    newcomer: &Newcomer,
    email: &str,
    now: Timestamp,
) -> Result<User, StoreError> {
    let row: UserRow = diesel::insert_into(users::table)
        .values((
            users::email.eq(email),
            users::email_verified.eq(newcomer.email_verified),
            users::name.eq(&newcomer.name),
            users::is_active.eq(true),
            users::create_date.eq(now),
        ))
        .returning(UserRow::as_returning())
        .get_result(connection)
        .await?;
    Ok(row.into())
}

async fn link(
    connection: &mut AsyncPgConnection,
    newcomer: &Newcomer,
    user: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    Statement::new("INSERT INTO identities (issuer, subject, user_id, create_date) VALUES (")
        .text(newcomer.issuer.as_str())
        .sql(", ")
        .text(newcomer.subject.as_str())
        .sql(", ")
        .int(user)
        .sql(", ")
        .moment(now)
        .sql(")")
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Owner {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    user_id: i64,
}
