use diesel::QueryableByName;
use diesel::prelude::OptionalExtension;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Collaboration, CollaborationId, Deed, InvitationDraft, Inviter, Page, PageRequest, Role, Timestamp, UserId,
};
use omni_rbac::{Administrator, Grant, Invited, Owner, Session, User, Viewer};

use crate::audit;
use crate::connection::Sight;
use crate::statement::Statement;
use crate::{Store, StoreError};

/// A collaboration with the names of those it is about, after the `SELECT`. Who has not accepted is nobody but an address:
/// whether that has an account, and whose, is not for whoever invites it to learn.
const COLLABORATION: &str = "c.collab_id, c.app_id, a.name AS app_name, c.user_id, c.email, p.name, c.role, c.status, \
    i.user_id AS inviter_id, i.email AS inviter_email, i.name AS inviter_name, c.invited_at, c.accepted_at";
const FROM: &str = " FROM collaborations c JOIN apps a ON a.app_id = c.app_id \
    LEFT JOIN users p ON p.user_id = c.user_id LEFT JOIN users i ON i.user_id = c.invited_by WHERE ";
const OLDEST_FIRST: &str = "c.collab_id";

#[derive(QueryableByName)]
struct CollaborationRow {
    #[diesel(sql_type = BigInt)]
    collab_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = Text)]
    app_name: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    user_id: Option<i64>,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    inviter_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    inviter_email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    inviter_name: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    invited_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    accepted_at: Option<Timestamp>,
}

impl TryFrom<CollaborationRow> for Collaboration {
    type Error = StoreError;

    fn try_from(row: CollaborationRow) -> Result<Self, StoreError> {
        let inviter = match (row.inviter_id, row.inviter_email, row.inviter_name) {
            (Some(id), Some(email), Some(name)) => Some(Inviter { id: UserId::new(id), email, name }),
            _ => None,
        };
        Ok(Self {
            id: CollaborationId::new(row.collab_id),
            app: AppId::new(row.app_id),
            app_name: row.app_name,
            user: row.user_id.map(UserId::new),
            email: row.email,
            name: row.name,
            role: row.role.parse().map_err(|_| StoreError::inconsistent(format!("role {}", row.role)))?,
            status: row.status.parse().map_err(StoreError::Inconsistent)?,
            inviter,
            invited: row.invited_at,
            accepted: row.accepted_at,
        })
    }
}

#[derive(QueryableByName)]
struct Touched {
    #[diesel(sql_type = BigInt)]
    collab_id: i64,
}

impl Store {
    /// One page of the people who were invited to the grant's app, however they answered, oldest invitation first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_collaborations(
        &self,
        grant: &Grant<Viewer>,
        page: PageRequest,
    ) -> Result<Page<Collaboration>, StoreError> {
        let app = grant.app().get();
        let from = |start: Statement| start.sql(FROM).sql("c.app_id = ").int(app);
        self.page_of::<CollaborationRow, _>(Sight::of(grant), COLLABORATION, from, OLDEST_FIRST, page).await
    }

    /// One page of the invitations that wait for the signed-in person's answer, oldest first. None wait for a person whose
    /// address nobody has proven.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_invitations(
        &self,
        session: &Session,
        page: PageRequest,
    ) -> Result<Page<Collaboration>, StoreError> {
        let user = session.user();
        let from = |start: Statement| {
            let theirs = start.sql(FROM).sql("c.status = 'pending' AND c.email = ").text(user.email.as_str());
            theirs.sql(" AND ").boolean(user.email_verified)
        };
        self.page_of::<CollaborationRow, _>(Sight::AllApps, COLLABORATION, from, OLDEST_FIRST, page).await
    }

    /// Invites somebody to the grant's app. Who has declined before is asked again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if they own the app, belong to it, or have not answered yet.
    pub async fn invite(
        &self,
        grant: &Grant<Administrator>,
        draft: &InvitationDraft,
        now: Timestamp,
    ) -> Result<Collaboration, StoreError> {
        let invite = Statement::new("INSERT INTO collaborations AS c ")
            .sql("(app_id, email, role, status, invited_by, invited_at) SELECT a.app_id, ")
            .text(draft.email.as_str())
            .sql(", ")
            .text(draft.role.as_str())
            .sql(", 'pending', ")
            .int(grant.actor().get())
            .sql(", ")
            .moment(now)
            .sql(" FROM apps a JOIN users o ON o.user_id = a.owner_id WHERE a.app_id = ")
            .int(grant.app().get())
            .sql(" AND o.email <> ")
            .text(draft.email.as_str())
            .sql(" ON CONFLICT (app_id, email) DO UPDATE SET role = excluded.role, status = 'pending', ")
            .sql("user_id = NULL, accepted_at = NULL, invited_by = excluded.invited_by, invited_at = excluded.invited_at ")
            .sql("WHERE c.status = 'declined' RETURNING c.collab_id");
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let invited: Option<Touched> = invite.get_result(connection).await.optional()?;
            let invited = invited.ok_or_else(|| {
                StoreError::Conflict(format!(
                    "email: {} owns this app, belongs to it already, or has not answered an earlier invitation",
                    draft.email
                ))
            })?;
            let made = collaboration(connection, invited.collab_id).await?;
            let deed = Deed::create(&made).called("collaboration.invite");
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(made)
        })
        .await
    }

    /// Accepts or declines an invitation.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has been answered or taken back, or the person has come to own the app meanwhile.
    pub async fn answer_invitation(
        &self,
        invited: &Invited,
        accept: bool,
        now: Timestamp,
    ) -> Result<Collaboration, StoreError> {
        let statement = Statement::new("UPDATE collaborations SET ");
        let (statement, action) = if accept {
            let taken = statement.sql("status = 'accepted', user_id = ").int(invited.person().get());
            (taken.sql(", accepted_at = ").moment(now), "collaboration.accept")
        } else {
            (statement.sql("status = 'declined'"), "collaboration.decline")
        };
        let answer = statement
            .sql(" WHERE status = 'pending' AND collab_id = ")
            .int(invited.invitation().get())
            .sql(" AND NOT EXISTS (SELECT FROM apps a WHERE a.app_id = collaborations.app_id AND a.owner_id = ")
            .int(invited.person().get())
            .sql(")");
        let mut lent = self.lend(Sight::AllApps).await?;
        lent.transaction(async |connection| {
            let before = collaboration(connection, invited.invitation().get()).await.map_err(answered)?;
            if answer.execute(connection).await? == 0 {
                return Err(answered(StoreError::NotFound));
            }
            let after = collaboration(connection, before.id.get()).await?;
            let deed = Deed::update(&before, &after).called(action);
            audit::record(connection, Some(after.app), invited.by(), &deed).await?;
            Ok(after)
        })
        .await
    }

    /// Gives a member of the grant's app another role, or offers another to who has not answered.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if they have declined, or are gone.
    pub async fn change_role(
        &self,
        grant: &Grant<Owner>,
        id: CollaborationId,
        role: Role,
    ) -> Result<Collaboration, StoreError> {
        let gone = || StoreError::Conflict("who has declined has no role to change; invite them again".into());
        let change = Statement::new("UPDATE collaborations SET role = ")
            .text(role.as_str())
            .sql(" WHERE status <> 'declined' AND app_id = ")
            .int(grant.app().get())
            .sql(" AND collab_id = ")
            .int(id.get());
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let before = collaboration(connection, id.get())
                .await
                .map_err(|error| if matches!(error, StoreError::NotFound) { gone() } else { error })?;
            if change.execute(connection).await? == 0 {
                return Err(gone());
            }
            let after = collaboration(connection, id.get()).await?;
            let deed = Deed::update(&before, &after).called("collaboration.change_role");
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await?;
            Ok(after)
        })
        .await
    }

    /// Removes a member from the grant's app, or takes an invitation back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has nobody by this number.
    pub async fn remove_collaboration(
        &self,
        grant: &Grant<Administrator>,
        id: CollaborationId,
    ) -> Result<(), StoreError> {
        let remove = Statement::new("DELETE FROM collaborations WHERE app_id = ")
            .int(grant.app().get())
            .sql(" AND collab_id = ")
            .int(id.get());
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let gone = collaboration(connection, id.get()).await?;
            if remove.execute(connection).await? == 0 {
                return Err(StoreError::NotFound);
            }
            let deed = Deed::delete(&gone).called("collaboration.remove");
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await
        })
        .await
    }

    /// Ends the grant holder's own membership in the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if they are there by owning it or by the operator's word.
    pub async fn leave_app(&self, grant: &Grant<User>) -> Result<(), StoreError> {
        let place = Statement::new("SELECT collab_id FROM collaborations WHERE status = 'accepted' AND app_id = ")
            .int(grant.app().get())
            .sql(" AND user_id = ")
            .int(grant.actor().get())
            .sql(" FOR UPDATE");
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let place: Option<Touched> = place.get_result(connection).await.optional()?;
            let place = place.ok_or_else(|| {
                StoreError::Conflict("only a collaborator can leave; an owner can delete the app".into())
            })?;
            let gone = collaboration(connection, place.collab_id).await?;
            Statement::new("DELETE FROM collaborations WHERE collab_id = ")
                .int(place.collab_id)
                .execute(connection)
                .await?;
            let deed = Deed::delete(&gone).called("collaboration.leave");
            audit::record(connection, Some(grant.app()), grant.by(), &deed).await
        })
        .await
    }
}

/// Whoever answers too late is told the same, whether the invitation was answered or is gone.
fn answered(error: StoreError) -> StoreError {
    match error {
        StoreError::NotFound => StoreError::Conflict("this invitation has been answered or taken back".into()),
        other => other,
    }
}

/// Reads a collaboration and keeps everybody else from changing it before the transaction ends.
async fn collaboration(connection: &mut AsyncPgConnection, id: i64) -> Result<Collaboration, StoreError> {
    Statement::new("SELECT ")
        .sql(COLLABORATION)
        .sql(FROM)
        .sql("c.collab_id = ")
        .int(id)
        .sql(" FOR UPDATE OF c")
        .get_result::<CollaborationRow>(connection)
        .await?
        .try_into()
}
