use std::fmt;
use std::str::FromStr;

use crate::error::ModelError;

/// Who serves a model, and so how to talk to it. It is always said, never guessed from a model's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI, or any server that speaks its chat completions.
    OpenAi,
    /// Azure OpenAI: the model is the name of a deployment.
    Azure,
    /// Anthropic.
    Anthropic,
    /// Mistral.
    Mistral,
    /// Google's Gemini.
    Google,
    /// Ollama; with a base URL that ends in `/v1`, a server that speaks OpenAI's chat completions.
    Ollama,
    /// The model that is built in: it needs nothing and quotes what is already there.
    Local,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::OpenAi, Self::Azure, Self::Anthropic, Self::Mistral, Self::Google, Self::Ollama, Self::Local];

    /// The canonical name, which is the one to store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
            Self::Mistral => "mistral",
            Self::Google => "google",
            Self::Ollama => "ollama",
            Self::Local => "local",
        }
    }

    /// Whether it serves embedding models.
    #[must_use]
    pub const fn embeds(self) -> bool {
        !matches!(self, Self::Anthropic)
    }

    /// What else people and earlier systems call it, in lower case and without separators.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["openaicompatible"],
            Self::Azure => &["azureopenai"],
            Self::Anthropic => &["claude"],
            Self::Mistral => &["mistralai"],
            Self::Google => &["gemini", "googleai", "googlegemini"],
            Self::Ollama => &["custom"],
            Self::Local => &["builtin"],
        }
    }
}

impl FromStr for Provider {
    type Err = ModelError;

    /// Reads a name in any case, with `-`, `_` and blanks anywhere.
    fn from_str(given: &str) -> Result<Self, ModelError> {
        let plain: String =
            given.chars().filter(|letter| !matches!(letter, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect();
        Self::ALL
            .into_iter()
            .find(|provider| provider.name() == plain || provider.aliases().contains(&plain.as_str()))
            .ok_or_else(|| ModelError::UnknownProvider { given: given.chars().take(40).collect() })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_earlier_systems_are_read() {
        for (given, provider) in [
            ("openai", Provider::OpenAi),
            ("OpenAI", Provider::OpenAi),
            ("openai-compatible", Provider::OpenAi),
            ("OpenAI Compatible", Provider::OpenAi),
            ("azure", Provider::Azure),
            ("Azure", Provider::Azure),
            ("azure_openai", Provider::Azure),
            ("anthropic", Provider::Anthropic),
            ("mistral", Provider::Mistral),
            ("MistralAI", Provider::Mistral),
            ("google", Provider::Google),
            ("Google", Provider::Google),
            ("gemini", Provider::Google),
            ("ollama", Provider::Ollama),
            ("Custom", Provider::Ollama),
            ("CUSTOM", Provider::Ollama),
            (" local ", Provider::Local),
        ] {
            assert_eq!(given.parse::<Provider>().unwrap(), provider, "{given}");
        }
        for provider in Provider::ALL {
            assert_eq!(provider.to_string().parse::<Provider>().unwrap(), provider);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "watsonx".parse::<Provider>().unwrap_err().to_string();
        for provider in Provider::ALL {
            assert!(error.contains(provider.name()), "{error}");
        }
        assert!(error.contains("watsonx"), "{error}");
        assert!("".parse::<Provider>().is_err());
    }
}
