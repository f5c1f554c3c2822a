use omni_domain::{App, AppCounts, AppDraft, AppOverview, AppPatch, DailyUsage, MinuteWindow, Page, PageRequest, Role};
use omni_rbac::{Grant, Owner, Session, Viewer};
use time::Duration;

use crate::{Workspace, WorkspaceError};

/// How far back a report of usage goes, today included.
const REPORTED_DAYS: i64 = 30;

/// What an app's agents used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    /// The app.
    pub overview: AppOverview,
    /// How it stands against its limit of turns a minute.
    pub window: MinuteWindow,
    /// What each agent did on each of the last thirty days, latest first.
    pub days: Vec<DailyUsage>,
}

impl Workspace {
    /// One page of the signed-in person's apps, newest first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_apps(&self, session: &Session, page: PageRequest) -> Result<Page<AppOverview>, WorkspaceError> {
        Ok(self.store.list_apps(session, page).await?)
    }

    /// The grant's app.
    ///
    /// # Errors
    /// If it has just been deleted.
    pub async fn get_app(&self, grant: &Grant<Viewer>) -> Result<AppOverview, WorkspaceError> {
        Ok(self.store.app_overview(grant).await?)
    }

    /// Makes an app that the signed-in person owns.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn create_app(&self, session: &Session, draft: &AppDraft) -> Result<AppOverview, WorkspaceError> {
        let app = self.store.create_app(session, draft, self.now()).await?;
        Ok(AppOverview {
            app,
            owner_name: session.user().name.clone(),
            owner_email: session.user().email.clone(),
            role: session.platform_role().max(Role::Owner),
            counts: AppCounts::default(),
        })
    }

    /// Changes the grant's app.
    ///
    /// # Errors
    /// If the change breaks a rule, or the app has just been deleted.
    pub async fn update_app(&self, grant: &Grant<Owner>, patch: AppPatch) -> Result<AppOverview, WorkspaceError> {
        let now = self.now();
        let change = |stored: AppOverview| {
            let app = patch.apply(stored.app)?;
            Ok::<_, WorkspaceError>(AppOverview { app: App { updated: now, ..app }, ..stored })
        };
        self.store.update_app(grant, change).await?
    }

    /// Removes the grant's app and everything in it.
    ///
    /// # Errors
    /// If it is gone already.
    pub async fn delete_app(&self, grant: &Grant<Owner>) -> Result<(), WorkspaceError> {
        Ok(self.store.delete_app(grant).await?)
    }

    /// What the agents of the grant's app used in the last thirty days and in the running minute.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn usage(&self, grant: &Grant<Viewer>) -> Result<UsageReport, WorkspaceError> {
        let now = self.now();
        let overview = self.store.app_overview(grant).await?;
        let used = self.store.turns_since(grant, MinuteWindow::began(now)).await?;
        let since = (now - Duration::days(REPORTED_DAYS - 1)).date();
        let days = self.store.daily_usage(grant, since).await?;
        let limit = overview.app.agent_rate_limit;
        Ok(UsageReport {
            overview,
            window: MinuteWindow { used, limit, resets_in: MinuteWindow::seconds_left(now) },
            days,
        })
    }
}
