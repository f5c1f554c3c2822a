use secrecy::{ExposeSecret, SecretString};

use crate::{
    AppId, Audited, Facts, Invalid, Patch, ServiceId, Text, Timestamp, is_masked, optional_text, required_text,
};

/// The hottest temperature that any provider takes.
pub(crate) const HOTTEST: f32 = 2.0;
/// The most tokens that an answer can be allowed.
pub(crate) const MOST_TOKENS: u32 = 1_000_000;
/// What a placeholder in place of a key looks like in exports of earlier systems.
const PLACEHOLDER_KEY: &str = "CHANGE_ME";

/// A model provider that an app has configured: where to ask, for which model, with which key.
#[derive(Debug, Clone, PartialEq)]
pub struct AiService {
    /// The service's number.
    pub id: ServiceId,
    /// The app that it belongs to.
    pub app: AppId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's canonical name, such as `openai` or `local`.
    pub provider: String,
    /// The provider's id of the model, or an Azure deployment.
    pub model: String,
    /// Where the provider is, if not at its usual address.
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
    /// The mask of the stored key, if there is one.
    pub key_mask: Option<String>,
    /// The sampling temperature for agents that set none.
    pub temperature: Option<f32>,
    /// The longest answer, in tokens, for agents that set none.
    pub max_tokens: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// What happens to a stored key.
#[derive(Debug, Clone)]
pub enum KeyChange {
    /// It stays.
    Keep,
    /// It is removed.
    Clear,
    /// It is replaced.
    Set(SecretString),
}

impl KeyChange {
    /// Reads what a request says of a key: left out or a mask means keep, `null`, an empty string or the placeholder of
    /// earlier exports means none.
    ///
    /// # Errors
    /// When the key is too long or has characters that no HTTP header carries.
    pub fn read(field: &'static str, sent: Patch<SecretString>) -> Result<Self, Invalid> {
        let Patch::Set(secret) = sent else {
            return Ok(if sent.is_keep() { Self::Keep } else { Self::Clear });
        };
        let key = secret.expose_secret().trim();
        if is_masked(key) {
            return Ok(Self::Keep);
        }
        if key.is_empty() || key == PLACEHOLDER_KEY {
            return Ok(Self::Clear);
        }
        if key.len() > 8_192 {
            return Err(Invalid::new(field, "must have at most 8192 characters"));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Invalid::new(field, "must be of printable ASCII characters without spaces"));
        }
        Ok(Self::Set(SecretString::from(key)))
    }
}

/// A new AI service, checked as far as rules can; the provider's name and the URL are checked by those who know them.
#[derive(Debug, Clone)]
pub struct AiServiceDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's canonical name.
    pub provider: String,
    /// The provider's id of the model.
    pub model: String,
    /// Where the provider is.
    pub base_url: Option<String>,
    /// The API version that Azure asks for.
    pub api_version: Option<String>,
    /// The provider's key.
    pub api_key: Option<SecretString>,
    /// The sampling temperature for agents that set none.
    pub temperature: Option<f32>,
    /// The longest answer, in tokens.
    pub max_tokens: Option<u32>,
}

impl AiServiceDraft {
    /// Checks the texts and numbers.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn check(self) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", &self.name, Text::Name)?,
            description: optional_text("description", self.description.as_deref(), Text::Description)?,
            model: required_text("model", &self.model, Text::Token)?,
            base_url: optional_text("base_url", self.base_url.as_deref(), Text::Url)?,
            api_version: optional_text("api_version", self.api_version.as_deref(), Text::Token)?,
            temperature: self.temperature.map(check_temperature).transpose()?,
            max_tokens: self.max_tokens.map(check_max_tokens).transpose()?,
            ..self
        })
    }
}

/// A change of an AI service.
#[derive(Debug, Clone, Default)]
pub struct AiServicePatch {
    /// A new name.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// Another provider.
    pub provider: Patch<String>,
    /// Another model.
    pub model: Patch<String>,
    /// Another address.
    pub base_url: Patch<String>,
    /// Another API version.
    pub api_version: Patch<String>,
    /// Another temperature.
    pub temperature: Patch<f32>,
    /// Another limit.
    pub max_tokens: Patch<u32>,
}

impl AiServicePatch {
    /// The service as it will be; what happens to the key is decided beside it by [`AiService::asks_for_key_again`].
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: AiService) -> Result<AiService, Invalid> {
        let required = |field, patch: Patch<String>, stored, kind| match patch {
            Patch::Keep => Ok(stored),
            Patch::Clear => Err(Invalid::new(field, "must not be empty")),
            Patch::Set(value) => required_text(field, &value, kind),
        };
        let optional =
            |field, patch: Patch<String>, stored, kind| optional_text(field, patch.over(stored).as_deref(), kind);
        Ok(AiService {
            name: required("name", self.name, stored.name, Text::Name)?,
            description: optional("description", self.description, stored.description, Text::Description)?,
            provider: required("provider", self.provider, stored.provider, Text::Token)?,
            model: required("model", self.model, stored.model, Text::Token)?,
            base_url: optional("base_url", self.base_url, stored.base_url, Text::Url)?,
            api_version: optional("api_version", self.api_version, stored.api_version, Text::Token)?,
            temperature: self.temperature.over(stored.temperature).map(check_temperature).transpose()?,
            max_tokens: self.max_tokens.over(stored.max_tokens).map(check_max_tokens).transpose()?,
            ..stored
        })
    }
}

impl AiService {
    /// Whether a stored key must be entered again to get from this service to `next`. A key is trusted to one provider at
    /// one address: whoever may edit the service must not be able to send it elsewhere.
    #[must_use]
    pub fn asks_for_key_again(&self, next: &Self) -> bool {
        self.key_mask.is_some() && (self.provider != next.provider || self.base_url != next.base_url)
    }
}

pub(crate) fn check_temperature(temperature: f32) -> Result<f32, Invalid> {
    if (0.0..=HOTTEST).contains(&temperature) {
        Ok(temperature)
    } else {
        Err(Invalid::new("temperature", format!("must be from 0 to {HOTTEST}")))
    }
}

pub(crate) fn check_max_tokens(tokens: u32) -> Result<u32, Invalid> {
    if (1..=MOST_TOKENS).contains(&tokens) {
        Ok(tokens)
    } else {
        Err(Invalid::new("max_tokens", format!("must be from 1 to {MOST_TOKENS}")))
    }
}

impl Audited for AiService {
    const KIND: &'static str = "ai_service";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("description", &self.description)
            .with("provider", &self.provider)
            .with("model", &self.model)
            .with("base_url", &self.base_url)
            .with("api_version", &self.api_version)
            .with("api_key", &self.key_mask)
            .with("temperature", self.temperature)
            .with("max_tokens", self.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> AiService {
        AiService {
            id: ServiceId::new(1),
            app: AppId::new(1),
            name: "GPT-4".into(),
            description: None,
            provider: "openai".into(),
            model: "gpt-4".into(),
            base_url: None,
            api_version: None,
            key_mask: Some("****cdef".into()),
            temperature: Some(0.7),
            max_tokens: None,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_key_goes_to_no_new_address() {
        let moved = AiServicePatch { base_url: Patch::Set("https://evil.example/v1".into()), ..Default::default() };
        assert!(stored().asks_for_key_again(&moved.apply(stored()).unwrap()));
        let other = AiServicePatch { provider: Patch::Set("mistral".into()), ..Default::default() };
        assert!(stored().asks_for_key_again(&other.apply(stored()).unwrap()));
        let renamed = AiServicePatch { name: Patch::Set("GPT".into()), ..Default::default() };
        assert!(!stored().asks_for_key_again(&renamed.apply(stored()).unwrap()));
        let keyless = AiService { key_mask: None, ..stored() };
        let moved = AiServicePatch { base_url: Patch::Set("http://localhost/".into()), ..Default::default() };
        assert!(!keyless.asks_for_key_again(&moved.apply(keyless.clone()).unwrap()));
    }

    #[test]
    fn reads_what_is_said_of_a_key() {
        let read = |sent| KeyChange::read("api_key", sent);
        let set = |key: &str| Patch::Set(SecretString::from(key));
        assert!(matches!(read(Patch::Keep), Ok(KeyChange::Keep)));
        assert!(matches!(read(set("****cdef")), Ok(KeyChange::Keep)));
        assert!(matches!(read(Patch::Clear), Ok(KeyChange::Clear)));
        assert!(matches!(read(set("  ")), Ok(KeyChange::Clear)));
        assert!(matches!(read(set("sk-123\n")), Ok(KeyChange::Set(key)) if key.expose_secret() == "sk-123"));
        assert!(matches!(read(set("sk 123")), Err(Invalid { field: "api_key", .. })));
    }

    #[test]
    fn numbers_have_bounds() {
        for wrong in [-0.1, 2.1, f32::NAN, f32::INFINITY] {
            assert!(check_temperature(wrong).is_err());
        }
        assert!(check_max_tokens(0).is_err());
    }
}
