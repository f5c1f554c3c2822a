use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::error::ModelError;
use crate::provider::Provider;

/// A model at a provider: everything of an AI service that is needed to talk to it.
#[derive(Debug, Clone)]
pub struct ModelTarget {
    /// Who serves it.
    pub provider: Provider,
    /// The provider's id of the model, or the Azure deployment, sent as it is.
    pub model: String,
    /// Where the provider is; `None` for its usual address. [`parse_base_url`] makes it from text.
    pub base_url: Option<Url>,
    /// The key. Servers that ask for none get none.
    pub api_key: Option<SecretString>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
}

impl ModelTarget {
    /// A model of this name at the provider's usual address, without a key.
    pub fn new(provider: Provider, model: impl Into<String>) -> Self {
        Self { provider, model: model.into(), base_url: None, api_key: None, api_version: None }
    }
}

/// Reads a base URL that somebody wrote. A slash at its end makes no difference, and the address of the chat itself is
/// taken for the base that it is under.
///
/// # Errors
/// [`ModelError::BaseUrl`], which says what to write instead.
pub fn parse_base_url(text: &str) -> Result<Url, ModelError> {
    let text = text.trim();
    if !text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) || !text.contains("://") {
        return Err(ModelError::base_url("must begin with https:// or http://"));
    }
    let url = Url::parse(text).map_err(|error| ModelError::base_url(format!("cannot be read: {error}")))?;
    check_base_url(&url)?;
    Ok(url)
}

/// What holds for every base URL, however it was made.
pub(crate) fn check_base_url(url: &Url) -> Result<(), ModelError> {
    let problem = if !matches!(url.scheme(), "http" | "https") {
        "must begin with https:// or http://"
    } else if url.host().is_none() {
        "has no host"
    } else if !url.username().is_empty() || url.password().is_some() {
        "must not hold a user name or a password; a key has its own field"
    } else if url.query().is_some() {
        "must not hold a query (\"?…\"); an API version has its own field"
    } else if url.fragment().is_some() {
        "must not hold a fragment (\"#…\")"
    } else {
        return Ok(());
    };
    Err(ModelError::base_url(problem))
}

/// `base` with these path segments after its own, each encoded; those that it ends with already are not repeated.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let own: Vec<&str> = base.path_segments().into_iter().flatten().filter(|own| !own.is_empty()).collect();
    let repeated = (1..=segments.len())
        .rev()
        .find(|&count| segments.get(..count).is_some_and(|first| own.ends_with(first)))
        .unwrap_or(0);
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments.iter().skip(repeated));
    }
    url
}

/// `url` without the endpoint at its end, for whoever entered that of a chat and wants vectors from the same server.
pub(crate) fn above_endpoint(url: &Url) -> Url {
    const ENDPOINTS: [&[&str]; 4] = [&["chat", "completions"], &["embeddings"], &["api", "chat"], &["api", "embed"]];
    let own: Vec<&str> = url.path_segments().into_iter().flatten().filter(|own| !own.is_empty()).collect();
    let longer = ENDPOINTS.iter().find(|endpoint| own.ends_with(endpoint)).map_or(0, |endpoint| endpoint.len());
    let mut above = url.clone();
    if let Ok(mut path) = above.path_segments_mut() {
        path.pop_if_empty();
        for _ in 0..longer {
            path.pop();
        }
    }
    above
}

/// A key, unless it is blank.
pub(crate) fn key_with_text(key: Option<&SecretString>) -> Option<&SecretString> {
    key.filter(|key| !key.expose_secret().trim().is_empty())
}

/// The last segment of a URL's path, not counting an empty one.
pub(crate) fn last_segment(url: &Url) -> Option<&str> {
    url.path_segments()?.rfind(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_wrong_base_url_says_what_to_write() {
        for (text, advice) in [
            ("", "begin with https://"),
            ("localhost:11434", "begin with https://"),
            ("api.openai.com/v1", "begin with https://"),
            ("ftp://example.com", "begin with https://"),
            ("httpx://example.com", "begin with https://"),
            ("https://", "cannot be read"),
            ("https://exa mple.com", "cannot be read"),
            ("https://me:secret@example.com/v1", "its own field"),
            ("https://example.com/v1?api-version=2024-10-21", "its own field"),
            ("https://example.com/v1#x", "fragment"),
        ] {
            let error = parse_base_url(text).unwrap_err();
            assert_eq!(error.field(), Some("base_url"));
            assert!(error.to_string().contains(advice), "{text}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        assert_eq!(parse_base_url(" HTTPS://Example.com/v1 ").unwrap().as_str(), "https://example.com/v1");
    }

    #[test]
    fn paths_join_however_the_base_is_written() {
        let chat = ["chat", "completions"];
        for base in
            ["http://a/v1", "http://a/v1/", "http://a/v1/chat/completions", "http://a/v1/chat", "http://a/v1/chat/"]
        {
            assert_eq!(below(&url(base), &chat).as_str(), "http://a/v1/chat/completions", "{base}");
        }
        assert_eq!(below(&url("http://a"), &chat).as_str(), "http://a/chat/completions");
        assert_eq!(below(&url("http://a/x"), &["models", "a/b c"]).as_str(), "http://a/x/models/a%2Fb%20c");
    }

    #[test]
    fn keys_are_not_shown() {
        let target = ModelTarget { api_key: Some("sk-visible".into()), ..ModelTarget::new(Provider::OpenAi, "gpt-4o") };
        assert!(!format!("{target:?}").contains("sk-visible"));
    }
}
