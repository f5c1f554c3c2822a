use diesel::QueryableByName;
use diesel::SelectableHelper;
use diesel::prelude::{ExpressionMethods, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{Account, AccountCounts, AccountFilter, App, Deed, Page, PageRequest, Timestamp, User, UserId};
use omni_rbac::{Omniadmin, PlatformGrant};

use crate::app_scoped::count;
use crate::apps::AppRow;
use crate::audit;
use crate::connection::Sight;
use crate::error::through_deadlocks;
use crate::jobs::cancel_jobs_of;
use crate::people::UserRow;
use crate::schema::{apps, users};
use crate::statement::Statement;
use crate::{Store, StoreError};

/// An account with what it holds, after the `SELECT`.
const ACCOUNT: &str = "u.user_id, u.email, u.email_verified, u.name, u.is_active, u.create_date, \
    (SELECT count(*) FROM apps a WHERE a.owner_id = u.user_id) AS owned_apps, \
    (SELECT count(*) FROM collaborations c WHERE c.user_id = u.user_id AND c.status = 'accepted') AS memberships, \
    (SELECT count(*) FROM api_keys k WHERE k.created_by = u.user_id) AS api_keys";

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Bool)]
    email_verified: bool,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = BigInt)]
    owned_apps: i64,
    #[diesel(sql_type = BigInt)]
    memberships: i64,
    #[diesel(sql_type = BigInt)]
    api_keys: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Ok(Self {
            user: User {
                id: UserId::new(row.user_id),
                email: row.email,
                email_verified: row.email_verified,
                name: row.name,
                is_active: row.is_active,
                created: row.create_date,
            },
            counts: AccountCounts {
                owned_apps: count(row.owned_apps)?,
                memberships: count(row.memberships)?,
                api_keys: count(row.api_keys)?,
            },
        })
    }
}

impl Store {
    /// One page of the accounts, in the order of their addresses.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_accounts(
        &self,
        _grant: &PlatformGrant<Omniadmin>,
        filter: &AccountFilter,
        page: PageRequest,
    ) -> Result<Page<Account>, StoreError> {
        let from = |start: Statement| {
            let statement = start.sql(" FROM users u WHERE true");
            let statement = match &filter.search {
                Some(part) => {
                    let email = statement.sql(" AND (strpos(u.email, lower(").text(part.as_str());
                    email.sql(")) > 0 OR strpos(lower(u.name), lower(").text(part.as_str()).sql(")) > 0)")
                }
                None => statement,
            };
            match filter.is_active {
                Some(true) => statement.sql(" AND u.is_active"),
                Some(false) => statement.sql(" AND NOT u.is_active"),
                None => statement,
            }
        };
        self.page_of::<AccountRow, _>(Sight::AllApps, ACCOUNT, from, "u.email", page).await
    }

    /// An account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none with this number.
    pub async fn account(&self, _grant: &PlatformGrant<Omniadmin>, id: UserId) -> Result<Account, StoreError> {
        account(id).get_result::<AccountRow>(&mut self.lend(Sight::AllApps).await?).await?.try_into()
    }

    /// Changes an account: `change` gets it as it is now, and nobody else changes it meanwhile. Who is deactivated is signed
    /// out everywhere. What `change` refuses is answered inside.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is gone.
    pub async fn update_account<E: Send>(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        id: UserId,
        change: impl FnOnce(Account) -> Result<Account, E> + Send,
    ) -> Result<Result<Account, E>, StoreError> {
        let mut lent = self.lend(Sight::AllApps).await?;
        lent.transaction(async |connection| {
            let before = locked(connection, id).await?;
            let stored = account(id).get_result::<AccountRow>(connection).await?;
            let next = match change(stored.try_into()?) {
                Ok(next) => next,
                Err(refusal) => return Ok(Err(refusal)),
            };
            write(&next.user).execute(connection).await?;
            audit::record(connection, None, grant.by(), &Deed::update(&before, &next.user)).await?;
            Ok(Ok(next))
        })
        .await
    }

    /// Removes an account with all that is the person's own, and stops the work that they have asked for. The apps that the
    /// person owns go to `heir`; without one, an account that owns apps stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is gone, [`StoreError::Conflict`] if it owns apps and nobody takes them, or the heir
    /// is gone.
    pub async fn delete_account(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        id: UserId,
        heir: Option<UserId>,
    ) -> Result<(), StoreError> {
        through_deadlocks(async || self.try_delete_account(grant, id, heir).await).await
    }

    async fn try_delete_account(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        id: UserId,
        heir: Option<UserId>,
    ) -> Result<(), StoreError> {
        let mut lent = self.lend(Sight::AllApps).await?;
        lent.transaction(async |connection| {
            // With the row locked nobody can make an app for this person meanwhile, nor ask for work in their name.
            let gone = locked(connection, id).await?;
            let owned: Vec<AppRow> = apps::table
                .filter(apps::owner_id.eq(id.get()))
                .order(apps::app_id)
                .for_update()
                .load(connection)
                .await?;
            let mut deeds = Vec::new();
            if !owned.is_empty() {
                let heir = heir.ok_or_else(|| still_owns(owned.len()))?;
                transfer(connection, id, heir).await?;
                for app in owned {
                    let before = App::try_from(app)?;
                    let deed = Deed::update(&before, &App { owner: heir, ..before.clone() }).called("app.transfer");
                    deeds.push((before.id, deed));
                }
            }
            for (app, job) in cancel_jobs_of(connection, id, grant.by().at).await? {
                deeds.push((app, Deed::plain("job.cancel").at("job", job.get())));
            }
            Statement::new("DELETE FROM users WHERE user_id = ").int(id.get()).execute(connection).await?;
            // Nothing is waited for once the first trail is held, and two that hold several take them in one order.
            deeds.sort_by_key(|(app, _)| *app);
            for (app, deed) in deeds {
                audit::record(connection, Some(app), grant.by(), &deed).await?;
            }
            audit::record(connection, None, grant.by(), &Deed::delete(&gone)).await
        })
        .await
    }
}

/// Selects an account with what it holds.
fn account(id: UserId) -> Statement {
    Statement::new("SELECT ").sql(ACCOUNT).sql(" FROM users u WHERE u.user_id = ").int(id.get())
}

/// Writes what the operator may change of an account, and ends the sessions of one that is shut.
fn write(user: &User) -> Statement {
    Statement::new("WITH ended AS (DELETE FROM sessions WHERE NOT ")
        .boolean(user.is_active)
        .sql(" AND user_id = ")
        .int(user.id.get())
        .sql(") UPDATE users SET name = ")
        .text(user.name.as_str())
        .sql(", is_active = ")
        .boolean(user.is_active)
        .sql(" WHERE user_id = ")
        .int(user.id.get())
}

fn still_owns(apps: usize) -> StoreError {
    let apps = if apps == 1 { "an app".to_owned() } else { format!("{apps} apps") };
    StoreError::Conflict(format!(
        "this account owns {apps}; name who takes over in ?transfer_to=, or delete them first"
    ))
}

/// Gives all apps of one person to another.
async fn transfer(connection: &mut AsyncPgConnection, from: UserId, heir: UserId) -> Result<(), StoreError> {
    let taken = Statement::new("UPDATE apps SET owner_id = h.user_id FROM users h WHERE owner_id = ")
        .int(from.get())
        .sql(" AND h.is_active AND h.user_id = ")
        .int(heir.get())
        .execute(connection)
        .await?;
    if taken == 0 {
        return Err(StoreError::Conflict(format!("transfer_to: there is no active account {heir}")));
    }
    // An owner has no other place in the app beside it.
    Statement::new("DELETE FROM collaborations c USING apps a WHERE a.app_id = c.app_id AND a.owner_id = ")
        .int(heir.get())
        .sql(" AND (c.user_id = a.owner_id OR c.email = (SELECT email FROM users WHERE user_id = a.owner_id))")
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads an account and keeps everybody else from changing it before the transaction ends.
async fn locked(connection: &mut AsyncPgConnection, id: UserId) -> Result<User, StoreError> {
    let row: UserRow = users::table.find(id.get()).select(UserRow::as_select()).for_update().first(connection).await?;
    Ok(row.into())
}
