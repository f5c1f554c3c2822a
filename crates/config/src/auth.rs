use std::net::SocketAddr;

use secrecy::SecretString;
use url::{Host, Url};

use crate::reader::Reader;
use crate::table::{
    AUTH_MODE, FAKE_USER, HTTP_ADDR, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_EMAILS, OIDC_ISSUER, PUBLIC_URL,
};
use crate::values;

/// How people sign in (`OMNI_AUTH_MODE`).
#[derive(Debug, Clone)]
pub enum Auth {
    /// Whoever connects is believed; only ever on a loopback address.
    Fake {
        /// The e-mail address, in lower case, of the person who is signed in at the first request.
        user: String,
    },
    /// An OpenID Connect provider says who somebody is.
    Oidc {
        /// The provider, spelled exactly as it was configured: compare it with the tokens' `iss` letter by letter.
        issuer: String,
        /// Who Omni is to the provider.
        client_id: String,
        /// What proves it.
        client_secret: SecretString,
        /// Which of its e-mail addresses count as proven.
        emails: OidcEmails,
        /// Where the provider sends people back: an origin without a path.
        public_url: Url,
    },
}

/// Which of a provider's e-mail addresses count as proven (`OMNI_OIDC_EMAILS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OidcEmails {
    /// Those that it says it has verified.
    Verified,
    /// All.
    Trusted,
}

impl OidcEmails {
    fn parse(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "verified" => Some(Self::Verified),
            "trusted" => Some(Self::Trusted),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Fake,
    Oidc,
}

impl Auth {
    /// Reads every setting of sign-in, whichever mode holds: a wrong value is wrong today, not on the day of the switch.
    pub(crate) fn read(reader: &mut Reader, http_addr: Option<SocketAddr>, public_url: Option<Url>) -> Option<Self> {
        let user = reader.required(&FAKE_USER, values::email);
        let issuer = reader.optional(&OIDC_ISSUER, values::issuer);
        let client_id = reader.optional(&OIDC_CLIENT_ID, |value| Some(value.to_owned()));
        let client_secret = reader.optional(&OIDC_CLIENT_SECRET, values::secret);
        let emails = reader.required(&OIDC_EMAILS, OidcEmails::parse);
        match mode(reader)? {
            Mode::Fake => {
                refuse_strangers(reader, http_addr, public_url.as_ref());
                Some(Self::Fake { user: user? })
            }
            Mode::Oidc => {
                for setting in [&OIDC_ISSUER, &OIDC_CLIENT_ID, &OIDC_CLIENT_SECRET, &PUBLIC_URL] {
                    reader.insist(setting, format_args!("{}, because OMNI_AUTH_MODE is oidc", setting.form));
                }
                Some(Self::Oidc {
                    issuer: issuer?,
                    client_id: client_id?,
                    client_secret: client_secret?,
                    emails: emails?,
                    public_url: public_url?,
                })
            }
        }
    }
}

fn mode(reader: &mut Reader) -> Option<Mode> {
    if reader.is_set(&OIDC_ISSUER) {
        reader.derive(&AUTH_MODE, "oidc".to_owned());
    }
    reader.insist(
        &AUTH_MODE,
        "OMNI_OIDC_ISSUER, OMNI_OIDC_CLIENT_ID, OMNI_OIDC_CLIENT_SECRET and OMNI_PUBLIC_URL, so that an identity provider \
         signs people in, or OMNI_AUTH_MODE=fake to try Omni on this machine without one",
    );
    reader.optional(&AUTH_MODE, |value| match value.to_ascii_lowercase().as_str() {
        "fake" => Some(Mode::Fake),
        "oidc" => Some(Mode::Oidc),
        _ => None,
    })
}

/// The fake mode believes whoever connects, so nobody else may be able to.
fn refuse_strangers(reader: &mut Reader, http_addr: Option<SocketAddr>, public_url: Option<&Url>) {
    const WHY: &str =
        "because OMNI_AUTH_MODE is fake and believes whoever connects; for other people set OMNI_AUTH_MODE=oidc";
    if http_addr.is_some_and(|address| !values::is_loopback(address)) {
        reader.refuse(&HTTP_ADDR, format_args!("a loopback address, {WHY}"));
    }
    // A proxy at another name, with TLS or without, is a door for everybody who reaches the proxy.
    if public_url.is_some_and(|url| url.scheme() != "http" || !is_this_machine(url)) {
        reader.refuse(&PUBLIC_URL, format_args!("nothing or an http URL of this machine, {WHY}"));
    }
}

/// Whether a URL names this machine from within: `localhost`, or a loopback address.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}
