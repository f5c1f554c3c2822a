//! From the configuration of sign-in to the way people sign in.

use std::sync::Arc;

use omni_config::{Auth, OidcEmails};
use omni_egress::{Egress, EgressError};
use omni_identity::{EmailTrust, Mode};
use omni_oidc::{RelyingParty, Settings};
use url::Url;

use crate::{Misconfigured, SystemClock};

/// Where the identity provider sends people back.
const CALLBACK: &str = "/internal/auth/callback";

/// How the configuration wants people to sign in. Asks nothing of the provider, which may be away for the moment.
///
/// # Errors
/// [`Misconfigured`] if requests may not go to the provider's address.
pub(crate) fn mode(auth: &Auth, egress: &Egress) -> Result<Mode, Misconfigured> {
    let (issuer, client_id, client_secret, emails, public_url) = match auth {
        Auth::Fake { user } => return Ok(Mode::Fake { user: user.clone() }),
        Auth::Oidc { issuer, client_id, client_secret, emails, public_url } => {
            (issuer, client_id, client_secret, emails, public_url)
        }
    };
    egress.parse(issuer).map_err(|error| refused(&error))?;
    let settings = Settings {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        redirect_uri: redirect_uri(public_url),
    };
    let emails = match emails {
        OidcEmails::Verified => EmailTrust::Verified,
        OidcEmails::Trusted => EmailTrust::Trusted,
    };
    let provider = Box::new(RelyingParty::new(settings, egress.clone(), Arc::new(SystemClock)));
    Ok(Mode::OpenId { provider, emails })
}

/// Where the identity provider sends people back to a server at this address.
#[must_use]
pub fn redirect_uri(public_url: &Url) -> Url {
    let mut url = public_url.clone();
    url.set_path(CALLBACK);
    url
}

fn refused(error: &EgressError) -> Misconfigured {
    Misconfigured(format!("OMNI_OIDC_ISSUER: {error}; OMNI_EGRESS_ALLOW lists the private addresses that may be"))
}
