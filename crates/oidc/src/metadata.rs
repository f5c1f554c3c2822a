//! What a provider says of itself at `/.well-known/openid-configuration`.

use serde::Deserialize;
use url::Url;

use crate::error::OidcError;
use crate::jws::Algorithm;

/// The part of a provider's metadata that a sign-in needs, checked.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Option<Url>,
    pub(crate) end_session_endpoint: Option<Url>,
    /// What ID tokens may be signed with: announced by the provider, and believed by Omni.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) client_authentication: ClientAuthentication,
    /// Whether every answer of the authorization endpoint names its issuer (RFC 9207).
    pub(crate) names_issuer: bool,
}

/// How the client's secret is sent to the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuthentication {
    Basic,
    Post,
}

/// The document as it is sent.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Where an issuer publishes its metadata.
pub(crate) fn location(issuer: &str) -> Result<Url, OidcError> {
    let location = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Url::parse(&location).map_err(|_| OidcError::unsuitable("the issuer is no URL"))
}

impl Metadata {
    /// Checks what the provider said against the issuer that the operator configured.
    pub(crate) fn check(document: Document, issuer: &str) -> Result<Self, OidcError> {
        if document.issuer != issuer {
            let named = document.issuer;
            return Err(OidcError::unsuitable(format!(
                "it names itself {named:?}, and OMNI_OIDC_ISSUER is {issuer:?}"
            )));
        }
        let metadata = Self {
            client_authentication: ClientAuthentication::of(document.token_endpoint_auth_methods_supported.as_deref())?,
            algorithms: algorithms(&document.id_token_signing_alg_values_supported)?,
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            userinfo_endpoint: document.userinfo_endpoint,
            end_session_endpoint: document.end_session_endpoint,
            names_issuer: document.authorization_response_iss_parameter_supported,
        };
        metadata.refuse_weaker_transport(issuer)?;
        Ok(metadata)
    }

    /// An issuer behind HTTPS sends no code, no secret and no person where anybody on the way can read along.
    fn refuse_weaker_transport(&self, issuer: &str) -> Result<(), OidcError> {
        let least: &[&str] = if issuer.starts_with("https:") { &["https"] } else { &["https", "http"] };
        let endpoints = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        let optional = [&self.userinfo_endpoint, &self.end_session_endpoint];
        let weak = endpoints
            .into_iter()
            .chain(optional.into_iter().flatten())
            .find(|endpoint| !least.contains(&endpoint.scheme()));
        match weak {
            Some(endpoint) => Err(OidcError::unsuitable(format!("its endpoint {endpoint} is not https"))),
            None => Ok(()),
        }
    }
}

fn algorithms(announced: &[String]) -> Result<Vec<Algorithm>, OidcError> {
    let believed: Vec<Algorithm> = announced.iter().filter_map(|name| Algorithm::named(name)).collect();
    if believed.is_empty() {
        return Err(OidcError::unsuitable(format!(
            "it signs ID tokens with none of RS256, PS256, ES256 and EdDSA but with {announced:?}"
        )));
    }
    Ok(believed)
}

impl ClientAuthentication {
    fn of(announced: Option<&[String]>) -> Result<Self, OidcError> {
        // The default of the standard, for a provider that says nothing.
        let Some(announced) = announced else { return Ok(Self::Basic) };
        let takes = |method: &str| announced.iter().any(|known| known == method);
        if takes("client_secret_basic") {
            Ok(Self::Basic)
        } else if takes("client_secret_post") {
            Ok(Self::Post)
        } else {
            Err(OidcError::unsuitable(format!("it takes client secrets neither by basic nor by post: {announced:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example/realms/one";

    fn check(changes: &Value) -> Result<Metadata, OidcError> {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/keys",
            "id_token_signing_alg_values_supported": ["HS256", "none", "RS256", "ES256"],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::check(serde_json::from_value(document).unwrap(), ISSUER)
    }

    #[test]
    fn only_what_is_asymmetric_is_believed() {
        assert_eq!(check(&json!({})).unwrap().algorithms, [Algorithm::Rs256, Algorithm::Es256]);
        assert!(check(&json!({ "id_token_signing_alg_values_supported": ["HS256", "none"] })).is_err());
    }

    #[test]
    fn the_issuer_is_compared_letter_by_letter() {
        for other in [
            "https://id.example/realms/one/",
            "https://ID.example/realms/one",
            "https://id.example:443/realms/one",
            "http://id.example/realms/one",
            "",
        ] {
            assert!(check(&json!({ "issuer": other })).is_err(), "{other}");
        }
    }

    #[test]
    fn no_endpoint_is_weaker_than_the_issuer() {
        for endpoint in
            ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]
        {
            for weak in ["http://id.example/x", "javascript:alert(1)", "file:///etc/passwd"] {
                assert!(check(&json!({ endpoint: weak })).is_err(), "{endpoint}: {weak}");
            }
        }
    }

    #[test]
    fn the_secret_goes_as_the_provider_takes_it() {
        let method = |methods: &Value| {
            check(&json!({ "token_endpoint_auth_methods_supported": methods })).map(|it| it.client_authentication)
        };
        assert_eq!(check(&json!({})).unwrap().client_authentication, ClientAuthentication::Basic);
        let both = json!(["client_secret_post", "client_secret_basic"]);
        assert_eq!(method(&both).unwrap(), ClientAuthentication::Basic);
        assert_eq!(method(&json!(["client_secret_post"])).unwrap(), ClientAuthentication::Post);
        assert!(method(&json!(["private_key_jwt"])).is_err());
    }

    #[test]
    fn metadata_stands_below_the_issuer() {
        for issuer in ["https://id.example/one", "https://id.example/one/"] {
            let location = location(issuer).unwrap();
            assert_eq!(location.as_str(), "https://id.example/one/.well-known/openid-configuration");
        }
    }
}
