use omni_domain::{
    Account, AccountFilter, AccountPatch, AppId, AuditCheck, AuditEntry, AuditFilter, Page, PageRequest, UserId,
};
use omni_persistence::Store;
use omni_rbac::{Omniadmin, Omniadmins, PlatformGrant};

use crate::IdentityError;

/// What the operator does with other people's accounts.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    omniadmins: Omniadmins,
}

impl Accounts {
    /// `omniadmins` are those whom the configuration names; nobody can shut them out from here.
    #[must_use]
    pub const fn new(store: Store, omniadmins: Omniadmins) -> Self {
        Self { store, omniadmins }
    }

    /// Whether the configuration makes this account an omniadmin's.
    #[must_use]
    pub fn is_omniadmin(&self, account: &Account) -> bool {
        self.omniadmins.include(&account.user)
    }

    /// One page of the accounts.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        filter: &AccountFilter,
        page: PageRequest,
    ) -> Result<Page<Account>, IdentityError> {
        Ok(self.store.list_accounts(grant, filter, page).await?)
    }

    /// An account.
    ///
    /// # Errors
    /// If there is none with this number.
    pub async fn get(&self, grant: &PlatformGrant<Omniadmin>, id: UserId) -> Result<Account, IdentityError> {
        Ok(self.store.account(grant, id).await?)
    }

    /// Changes an account. Who is deactivated is signed out and let in nowhere from now on.
    ///
    /// # Errors
    /// If the change breaks a rule, or would shut out the operator.
    pub async fn update(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        id: UserId,
        patch: AccountPatch,
    ) -> Result<Account, IdentityError> {
        let change = |known: Account| {
            let was_active = known.user.is_active;
            let next = Account { user: patch.apply(known.user)?, ..known };
            if was_active && !next.user.is_active {
                self.spare_operators(grant, &next)?;
            }
            Ok(next)
        };
        self.store.update_account(grant, id, change).await?
    }

    /// Removes an account with all that is the person's own; apps that they own go to `heir`.
    ///
    /// # Errors
    /// If it is gone or the operator's own, or if it owns apps and there is no heir.
    pub async fn delete(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        id: UserId,
        heir: Option<UserId>,
    ) -> Result<(), IdentityError> {
        let known = self.get(grant, id).await?;
        self.spare_operators(grant, &known)?;
        Ok(self.store.delete_account(grant, id, heir.filter(|heir| *heir != id)).await?)
    }

    /// One page of all audit trails, or of that of one app, latest first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn audit(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        app: Option<AppId>,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, IdentityError> {
        Ok(self.store.platform_audit(grant, app, filter, page).await?)
    }

    /// Whether the audit trail of an app is what was written, or without one the platform's.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn check_audit(
        &self,
        grant: &PlatformGrant<Omniadmin>,
        app: Option<AppId>,
    ) -> Result<AuditCheck, IdentityError> {
        Ok(self.store.check_audit(grant, app).await?)
    }

    /// An installation always has somebody who can set it right.
    fn spare_operators(&self, grant: &PlatformGrant<Omniadmin>, account: &Account) -> Result<(), IdentityError> {
        if grant.actor() == account.user.id {
            return Err(IdentityError::Conflict("this is your own account; another omniadmin has to do that"));
        }
        if self.is_omniadmin(account) {
            return Err(IdentityError::Conflict("an omniadmin's account; take it out of the configuration first"));
        }
        Ok(())
    }
}
