use crate::ai_service::{check_max_tokens, check_temperature};
use crate::{
    AgentId, AppId, Audited, Facts, Invalid, Patch, ServiceId, SiloId, Text, Timestamp, optional_text, required_text,
};

/// Where the person's message goes in a prompt template.
const QUESTION: &str = "{question}";

/// An agent: instructions, a model to follow them, and how much of a conversation it remembers.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// The agent's number.
    pub id: AgentId,
    /// The app that it belongs to.
    pub app: AppId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What the model is told before every conversation.
    pub system_prompt: Option<String>,
    /// What is made of each message before the model reads it; `{question}` stands for the message.
    pub prompt_template: Option<String>,
    /// The AI service that answers; without one the built-in `local` model does.
    pub service: Option<ServiceId>,
    /// The silo that it draws on, if any.
    pub silo: Option<SiloId>,
    /// The sampling temperature, before the service's own.
    pub temperature: Option<f32>,
    /// The longest answer in tokens, before the service's own.
    pub max_tokens: Option<u32>,
    /// What it remembers of a conversation.
    pub memory: Memory,
    /// How many turns it has finished.
    pub request_count: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// How much of a conversation the model is shown again with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Whether it is shown any. Without memory each message stands alone, though the conversation is kept.
    pub enabled: bool,
    /// At most this many of the latest messages.
    pub max_messages: u32,
    /// At most about this many tokens of them.
    pub max_tokens: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { enabled: true, max_messages: 20, max_tokens: 4_000 }
    }
}

impl Memory {
    fn check(self) -> Result<Self, Invalid> {
        if !(1..=1_000).contains(&self.max_messages) {
            return Err(Invalid::new("memory_max_messages", "must be from 1 to 1000"));
        }
        if !(1..=1_000_000).contains(&self.max_tokens) {
            return Err(Invalid::new("memory_max_tokens", "must be from 1 to 1000000"));
        }
        Ok(self)
    }
}

impl Agent {
    /// What the model reads for `message`. Only `{question}` is replaced: other braces are text, and an empty template
    /// leaves the message as it is. A template that forgets the question gets it at its end, for a question that never
    /// reaches the model is never what was meant.
    #[must_use]
    pub fn prompt(&self, message: &str) -> String {
        match self.prompt_template.as_deref() {
            None => message.to_owned(),
            Some(template) if template.contains(QUESTION) => template.replace(QUESTION, message),
            Some(template) => format!("{template}\n\n{message}"),
        }
    }
}

/// A new agent, checked except for what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What the model is told.
    pub system_prompt: Option<String>,
    /// What is made of each message.
    pub prompt_template: Option<String>,
    /// The AI service that answers.
    pub service: Option<ServiceId>,
    /// The silo that it draws on.
    pub silo: Option<SiloId>,
    /// The sampling temperature.
    pub temperature: Option<f32>,
    /// The longest answer in tokens.
    pub max_tokens: Option<u32>,
    /// What it remembers.
    pub memory: Memory,
}

impl AgentDraft {
    /// Checks the texts and numbers.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn check(self) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", &self.name, Text::Name)?,
            description: optional_text("description", self.description.as_deref(), Text::Description)?,
            system_prompt: optional_text("system_prompt", self.system_prompt.as_deref(), Text::Prompt)?,
            prompt_template: optional_text("prompt_template", self.prompt_template.as_deref(), Text::Prompt)?,
            temperature: self.temperature.map(check_temperature).transpose()?,
            max_tokens: self.max_tokens.map(check_max_tokens).transpose()?,
            memory: self.memory.check()?,
            ..self
        })
    }
}

/// A change of an agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AgentPatch {
    /// A new name.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// New instructions.
    pub system_prompt: Patch<String>,
    /// A new template.
    pub prompt_template: Patch<String>,
    /// Another AI service.
    pub service: Patch<ServiceId>,
    /// Another silo.
    pub silo: Patch<SiloId>,
    /// Another temperature.
    pub temperature: Patch<f32>,
    /// Another limit.
    pub max_tokens: Patch<u32>,
    /// Whether it remembers.
    pub memory_enabled: Patch<bool>,
    /// How many messages it remembers.
    pub memory_max_messages: Patch<u32>,
    /// How many tokens it remembers.
    pub memory_max_tokens: Patch<u32>,
}

impl AgentPatch {
    /// The agent as it will be, except that what it refers to is not checked.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: Agent) -> Result<Agent, Invalid> {
        let optional =
            |field, patch: Patch<String>, stored, kind| optional_text(field, patch.over(stored).as_deref(), kind);
        let usual = Memory::default();
        Ok(Agent {
            name: match self.name {
                Patch::Keep => stored.name,
                Patch::Clear => return Err(Invalid::new("name", "must not be empty")),
                Patch::Set(name) => required_text("name", &name, Text::Name)?,
            },
            description: optional("description", self.description, stored.description, Text::Description)?,
            system_prompt: optional("system_prompt", self.system_prompt, stored.system_prompt, Text::Prompt)?,
            prompt_template: optional("prompt_template", self.prompt_template, stored.prompt_template, Text::Prompt)?,
            service: self.service.over(stored.service),
            silo: self.silo.over(stored.silo),
            temperature: self.temperature.over(stored.temperature).map(check_temperature).transpose()?,
            max_tokens: self.max_tokens.over(stored.max_tokens).map(check_max_tokens).transpose()?,
            memory: Memory {
                enabled: self.memory_enabled.over_or(stored.memory.enabled, usual.enabled),
                max_messages: self.memory_max_messages.over_or(stored.memory.max_messages, usual.max_messages),
                max_tokens: self.memory_max_tokens.over_or(stored.memory.max_tokens, usual.max_tokens),
            }
            .check()?,
            ..stored
        })
    }
}

impl Audited for Agent {
    const KIND: &'static str = "agent";

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
            .with("system_prompt", &self.system_prompt)
            .with("prompt_template", &self.prompt_template)
            .with("service_id", self.service)
            .with("silo_id", self.silo)
            .with("temperature", self.temperature)
            .with("max_tokens", self.max_tokens)
            .with("has_memory", self.memory.enabled)
            .with("memory_max_messages", self.memory.max_messages)
            .with("memory_max_tokens", self.memory.max_tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(prompt_template: Option<&str>) -> Agent {
        Agent {
            id: AgentId::new(1),
            app: AppId::new(1),
            name: "Support".into(),
            description: None,
            system_prompt: None,
            prompt_template: prompt_template.map(Into::into),
            service: None,
            silo: None,
            temperature: None,
            max_tokens: None,
            memory: Memory::default(),
            request_count: 0,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_template_takes_the_question_and_leaves_other_braces() {
        assert_eq!(agent(None).prompt("hi {x}"), "hi {x}");
        assert_eq!(agent(Some("As {json}: {question}")).prompt("hi"), "As {json}: hi");
        assert_eq!(agent(Some("Be brief.")).prompt("hi"), "Be brief.\n\nhi");
    }

    #[test]
    fn clearing_goes_back_to_what_is_usual() {
        let patch =
            AgentPatch { memory_max_messages: Patch::Clear, description: Patch::Set(" ".into()), ..Default::default() };
        let mut stored = agent(None);
        stored.memory.max_messages = 3;
        stored.description = Some("old".into());
        let next = patch.apply(stored).unwrap();
        assert_eq!(next.memory, Memory::default());
        assert_eq!(next.description, None);
    }

    #[test]
    fn says_which_number_is_wrong() {
        let patch = AgentPatch { memory_max_tokens: Patch::Set(0), ..Default::default() };
        assert_eq!(patch.apply(agent(None)).unwrap_err().field, "memory_max_tokens");
    }
}
