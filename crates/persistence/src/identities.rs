//! Whose account it is: an identity of the provider belongs to one account, and an account to one identity.

use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Actor, Deed, Origin, Provenance, Timestamp, User, UserId};

use crate::audit;
use crate::connection::Sight;
use crate::error::through_deadlocks;
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
    /// Finds or makes the account of somebody whom the identity provider signed in from `origin`.
    ///
    /// An identity is known by issuer and subject, and its account says of the person's address what the provider says now.
    /// Where the identity is new, the address counts: an account that nobody has entered by a provider yet becomes theirs if
    /// the address is proven, and an account that has an identity never does. Nobody keeps an address from whoever proves
    /// that it is theirs by having claimed it first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn admit(&self, newcomer: &Newcomer, origin: &Origin, now: Timestamp) -> Result<Admission, StoreError> {
        // Two people whose addresses are exchanged may hold each other's accounts.
        through_deadlocks(async || self.try_admit(newcomer, origin, now).await).await
    }

    async fn try_admit(&self, newcomer: &Newcomer, origin: &Origin, now: Timestamp) -> Result<Admission, StoreError> {
        let mut lent = self.lend(Sight::NoApp).await?;
        lent.transaction(async |connection| {
            // Who signs in twice at once, or with somebody else by the same address, waits for the other here.
            lock(connection, &format!("identity {} {}", newcomer.issuer, newcomer.subject)).await?;
            if let Some(email) = &newcomer.email {
                lock(connection, &format!("address {email}")).await?;
            }
            let mut changes = Changes { origin, now, deeds: Vec::new() };
            let admission = changes.admit(connection, newcomer).await?;
            changes.record(connection).await?;
            Ok(admission)
        })
        .await
    }
}

/// What a sign-in changes of accounts, and what the trail will say of it.
struct Changes<'a> {
    origin: &'a Origin,
    now: Timestamp,
    /// What is told at the end of the transaction, each with whose account it is about.
    deeds: Vec<(User, Deed)>,
}

impl Changes<'_> {
    async fn admit(
        &mut self,
        connection: &mut AsyncPgConnection,
        newcomer: &Newcomer,
    ) -> Result<Admission, StoreError> {
        if let Some(known) = by_identity(connection, newcomer).await? {
            return Ok(Admission::Admitted(self.follow(connection, newcomer, known.into()).await?));
        }
        let Some(email) = &newcomer.email else { return Ok(Admission::NoAddress) };
        let account = match by_address(connection, email).await? {
            None => make(connection, newcomer, email, self.now).await?,
            Some(account) if has_identity(connection, account.id).await? => {
                if !self.give_up(connection, newcomer, account).await? {
                    return Ok(Admission::Taken);
                }
                make(connection, newcomer, email, self.now).await?
            }
            Some(_) if !newcomer.email_verified => return Ok(Admission::Unproven),
            Some(account) if account.email_verified => account,
            Some(account) => self.write(connection, &account, User { email_verified: true, ..account.clone() }).await?,
        };
        link(connection, newcomer, account.id.get(), self.now).await?;
        Ok(Admission::Admitted(account))
    }

    /// Has an account say of its owner's address what the provider says now. A proven one that is another person's stays
    /// theirs, and then nothing is known of this account's.
    async fn follow(
        &mut self,
        connection: &mut AsyncPgConnection,
        newcomer: &Newcomer,
        account: User,
    ) -> Result<User, StoreError> {
        let proven = newcomer.email.as_ref().filter(|_| newcomer.email_verified);
        let next = match proven {
            Some(email) if *email == account.email => User { email_verified: true, ..account.clone() },
            Some(email) if self.is_free(connection, newcomer, email).await? => {
                User { email: email.clone(), email_verified: true, ..account.clone() }
            }
            _ => User { email_verified: false, ..account.clone() },
        };
        if (&next.email, next.email_verified) == (&account.email, account.email_verified) {
            return Ok(account);
        }
        self.write(connection, &account, next).await
    }

    /// Whether a proven address is nobody's, or is given up by an account that has not proven it.
    async fn is_free(
        &mut self,
        connection: &mut AsyncPgConnection,
        newcomer: &Newcomer,
        email: &str,
    ) -> Result<bool, StoreError> {
        match by_address(connection, email).await? {
            None => Ok(true),
            Some(account) if has_identity(connection, account.id).await? => {
                self.give_up(connection, newcomer, account).await
            }
            Some(_) => Ok(false),
        }
    }

    /// Takes its address from an account that has not proven it, for somebody who has; its owner is known by their identity
    /// and enters it as before. Answers whether the address is free now.
    async fn give_up(
        &mut self,
        connection: &mut AsyncPgConnection,
        newcomer: &Newcomer,
        account: User,
    ) -> Result<bool, StoreError> {
        if account.email_verified || !newcomer.email_verified {
            return Ok(false);
        }
        // A name under which nothing is ever reached (RFC 2606).
        let email = format!("account-{}@unproven.invalid", account.id);
        self.write(connection, &account, User { email, ..account.clone() }).await?;
        Ok(true)
    }

    async fn write(
        &mut self,
        connection: &mut AsyncPgConnection,
        before: &User,
        after: User,
    ) -> Result<User, StoreError> {
        diesel::update(users::table.find(after.id.get()))
            .set((users::email.eq(&after.email), users::email_verified.eq(after.email_verified)))
            .execute(connection)
            .await?;
        self.deeds.push((after.clone(), Deed::update(before, &after)));
        Ok(after)
    }

    /// Each is told of its account's own person: who they are to the provider has changed.
    async fn record(self, connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
        for (user, deed) in self.deeds {
            let actor = Actor { user: Some(user.id), key: None, name: user.email };
            let by = Provenance { actor, origin: self.origin.clone(), at: self.now };
            audit::record(connection, None, &by, &deed).await?;
        }
        Ok(())
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
    Ok(Some(users::table.find(user_id).select(UserRow::as_select()).for_update().first(connection).await?))
}

async fn by_address(connection: &mut AsyncPgConnection, email: &str) -> Result<Option<User>, StoreError> {
    let account: Option<UserRow> = users::table
        .filter(users::email.eq(email))
        .select(UserRow::as_select())
        .for_update()
        .first(connection)
        .await
        .optional()?;
    Ok(account.map(User::from))
}

async fn has_identity(connection: &mut AsyncPgConnection, user: UserId) -> Result<bool, StoreError> {
    let owner: Option<Owner> = Statement::new("SELECT user_id FROM identities WHERE user_id = ")
        .int(user.get())
        .get_result(connection)
        .await
        .optional()?;
    Ok(owner.is_some())
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
