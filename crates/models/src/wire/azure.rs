//! Azure OpenAI: OpenAI's format, with a deployment in the path and the key in a header of its own.

use reqwest::header::HeaderMap;
use url::Url;

use super::openai::{LimitName, OpenAi};
use super::{Line, json_headers, missing, put_key, required_key};
use crate::error::ModelError;
use crate::target::{ModelTarget, below, last_segment};

/// The version asked for if the service names none.
const USUAL_VERSION: &str = "2024-10-21";
/// The first version that reports usage in a stream; earlier ones refuse the question.
const USAGE_SINCE: &str = "2024-09";

pub(super) fn line_to(target: &ModelTarget) -> Result<Line, ModelError> {
    let Address { url, headers, version } = Address::of(target, "text/event-stream", &["chat", "completions"])?;
    let wire = OpenAi {
        model: target.model.clone(),
        asks_for_usage: version.is_none_or(|version| !version.starts_with("20") || version >= USAGE_SINCE),
        limit: LimitName::of_model(&target.model),
    };
    Ok(Line { url, headers, wire: Box::new(wire) })
}

/// Where a deployment is asked for something.
pub(super) struct Address<'a> {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// The version that is asked for, if one is.
    version: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// `what` is the path below the deployment.
    pub(super) fn of(target: &'a ModelTarget, accept: &'static str, what: &[&str]) -> Result<Self, ModelError> {
        let base = target
            .base_url
            .as_ref()
            .ok_or_else(|| missing(target, "base_url", "the endpoint of its resource as the base URL"))?;
        let mut headers = json_headers(accept);
        put_key(&mut headers, "api-key", required_key(target)?)?;
        let version = target.api_version.as_deref().map(str::trim).filter(|version| !version.is_empty());
        // The newer addresses take no deployment in the path, and no version unless told.
        let (mut url, version) = if last_segment(base) == Some("v1") || base.path().contains("/openai/v1/") {
            (below(base, what), version)
        } else {
            let path = [&["openai", "deployments", target.model.trim()], what].concat();
            (below(base, &path), Some(version.unwrap_or(USUAL_VERSION)))
        };
        if let Some(version) = version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        Ok(Self { url, headers, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Provider;
    use crate::target::parse_base_url;

    fn url(base: &str, version: Option<&str>) -> String {
        let target = ModelTarget {
            base_url: Some(parse_base_url(base).unwrap()),
            api_key: Some("k".into()),
            api_version: version.map(str::to_owned),
            ..ModelTarget::new(Provider::Azure, "my gpt-4o")
        };
        line_to(&target).unwrap().url.into()
    }

    #[test]
    fn the_deployment_is_in_the_path() {
        let full = "https://x.openai.azure.com/openai/deployments/my%20gpt-4o/chat/completions?api-version=2024-10-21";
        assert_eq!(url("https://x.openai.azure.com", None), full);
        assert_eq!(url("https://x.openai.azure.com/openai/", None), full);
        assert!(url("https://x.openai.azure.com/", Some("2025-01-01-preview")).ends_with("=2025-01-01-preview"));
    }

    #[test]
    fn the_newer_address_is_as_openai() {
        let base = "https://x.openai.azure.com/openai/v1/";
        assert_eq!(url(base, None), "https://x.openai.azure.com/openai/v1/chat/completions");
        assert!(url(base, Some("preview")).ends_with("/chat/completions?api-version=preview"));
    }

    #[test]
    fn an_endpoint_and_a_key_are_needed() {
        let target = ModelTarget::new(Provider::Azure, "gpt-4o");
        assert_eq!(line_to(&target).unwrap_err().field(), Some("base_url"));
        let target = ModelTarget { base_url: Some("https://x.openai.azure.com".parse().unwrap()), ..target };
        assert_eq!(line_to(&target).unwrap_err().field(), Some("api_key"));
    }
}
