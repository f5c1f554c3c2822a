use omni_domain::{AuditCheck, AuditEntry, AuditFilter, Page, PageRequest};
use omni_rbac::{Grant, Owner};

use crate::{Workspace, WorkspaceError};

impl Workspace {
    /// One page of the audit trail of the grant's app, latest first.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn audit(
        &self,
        grant: &Grant<Owner>,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, WorkspaceError> {
        Ok(self.store.app_audit(grant, filter, page).await?)
    }

    /// Whether the audit trail of the grant's app is what was written.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn check_audit(&self, grant: &Grant<Owner>) -> Result<AuditCheck, WorkspaceError> {
        Ok(self.store.check_app_audit(grant).await?)
    }
}
