//! What services of all kinds share: a provider, its address and its key.

use omni_domain::{Invalid, KeyChange, Patch, mask};
use omni_models::{ModelTarget, Provider, parse_base_url};
use omni_persistence::SealedKey;
use omni_rbac::{Editor, Grant};
use omni_sealing::Place;
use secrecy::{ExposeSecret, SecretString};

use crate::{Workspace, WorkspaceError};

/// The key of a service that is being made: a mask stands for nothing yet.
pub(crate) fn first_key(sent: Option<SecretString>) -> Result<Option<SecretString>, WorkspaceError> {
    match sent.map(|key| KeyChange::read("api_key", Patch::Set(key))).transpose()? {
        Some(KeyChange::Set(key)) => Ok(Some(key)),
        Some(KeyChange::Keep) => {
            Err(Invalid::new("api_key", "is masked; a new service has no stored key to keep").into())
        }
        Some(KeyChange::Clear) | None => Ok(None),
    }
}

/// The key that a changed service would have, for whoever checks that it has what it needs. What is stored stands in for a
/// key that stays: only that there is one matters there.
pub(crate) fn key_after(change: &KeyChange, mask: Option<&str>) -> Option<SecretString> {
    match change {
        KeyChange::Set(key) => Some(key.clone()),
        KeyChange::Keep => mask.map(SecretString::from),
        KeyChange::Clear => None,
    }
}

/// What a service's fields say of where and what to ask.
pub(crate) fn read_target(
    provider: &str,
    model: &str,
    base_url: Option<&str>,
    api_version: Option<&str>,
    key: Option<SecretString>,
) -> Result<ModelTarget, WorkspaceError> {
    let provider: Provider =
        provider.parse().map_err(|problem| WorkspaceError::Service { field: "provider", problem })?;
    let base_url = base_url
        .map(parse_base_url)
        .transpose()
        .map_err(|problem| WorkspaceError::Service { field: "base_url", problem })?;
    let mut target = ModelTarget::new(provider, model);
    target.base_url = base_url;
    target.api_key = key;
    target.api_version = api_version.map(str::to_owned);
    Ok(target)
}

/// The one spelling of a target's address.
pub(crate) fn address_of(target: &ModelTarget) -> Option<String> {
    target.base_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned())
}

impl Workspace {
    /// Seals a key so that it opens only in this row of this app.
    pub(crate) fn seal(
        &self,
        grant: &Grant<Editor>,
        column: &'static str,
        row: i64,
        key: &SecretString,
    ) -> Result<SealedKey, WorkspaceError> {
        let place = Place { column, app: grant.app(), row };
        let sealed = self.key.seal(key, place, &*self.entropy)?;
        Ok(SealedKey { sealed, mask: mask(key.expose_secret()) })
    }
}
