use omni_domain::{Agent, AiService, Author, Memory};
use omni_models::{ChatMessage, ChatRequest, ModelError, ModelTarget, Provider, parse_base_url};
use secrecy::SecretString;

/// About how many characters a token has; the limit is the agent's own and need not be exact.
const CHARACTERS_PER_TOKEN: u64 = 4;
/// What a message costs besides its text.
const TOKENS_PER_MESSAGE: u64 = 4;

/// The model that answers for an agent: its service's, or the built-in one if it has none.
pub(crate) fn target(service: Option<&AiService>, key: Option<SecretString>) -> Result<ModelTarget, ModelError> {
    let Some(service) = service else {
        return Ok(ModelTarget::new(Provider::Local, Provider::Local.name()));
    };
    let mut target = ModelTarget::new(service.provider.parse()?, service.model.as_str());
    target.base_url = service.base_url.as_deref().map(parse_base_url).transpose()?;
    target.api_version.clone_from(&service.api_version);
    target.api_key = key;
    Ok(target)
}

/// What the model is asked: the agent's instructions, what it remembers, and the message. The agent's own settings come
/// before its service's.
pub(crate) fn request(
    agent: &Agent,
    service: Option<&AiService>,
    history: &[(Author, String)],
    message: &str,
) -> ChatRequest {
    let remembered = remembered(agent.memory, history).iter().map(|(author, content)| match author {
        Author::User => ChatMessage::user(content.as_str()),
        Author::Agent => ChatMessage::assistant(content.as_str()),
    });
    let mut request = ChatRequest::new(remembered.chain([ChatMessage::user(agent.prompt(message))]).collect());
    request.system.clone_from(&agent.system_prompt);
    request.temperature = agent.temperature.or_else(|| service.and_then(|service| service.temperature));
    request.max_tokens = agent.max_tokens.or_else(|| service.and_then(|service| service.max_tokens));
    request
}

/// The latest messages that fit into the agent's memory. It begins with something that the person said: an answer without
/// its question only confuses, and some providers refuse it.
fn remembered(memory: Memory, history: &[(Author, String)]) -> &[(Author, String)] {
    let mut budget = u64::from(memory.max_tokens);
    let most = usize::try_from(memory.max_messages).unwrap_or(usize::MAX);
    let mut kept = 0;
    for (_, content) in history.iter().rev().take(most) {
        let cost = tokens(content);
        if !memory.enabled || cost > budget {
            break;
        }
        budget -= cost;
        kept += 1;
    }
    let latest = history.get(history.len() - kept..).unwrap_or_default();
    let start = latest.iter().position(|(author, _)| *author == Author::User).unwrap_or(latest.len());
    latest.get(start..).unwrap_or_default()
}

fn tokens(content: &str) -> u64 {
    u64::try_from(content.chars().count()).unwrap_or(u64::MAX) / CHARACTERS_PER_TOKEN + TOKENS_PER_MESSAGE
}

/// What the person's message is stored as: their words, and the names of what they sent along.
pub(crate) fn stored_message(message: &str, files: &[crate::UsedFile]) -> String {
    let mut stored = message.to_owned();
    for file in files {
        stored.push_str("\n[attached: ");
        stored.push_str(&file.filename);
        stored.push(']');
    }
    stored
}

#[cfg(test)]
mod tests {
    use omni_domain::{AgentId, AppId, ServiceId, Timestamp};
    use omni_models::Role;

    use super::*;

    fn agent(memory: Memory) -> Agent {
        Agent {
            id: AgentId::new(1),
            app: AppId::new(1),
            name: "a".into(),
            description: None,
            system_prompt: Some("Be kind.".into()),
            prompt_template: Some("Q: {question}".into()),
            service: Some(ServiceId::new(1)),
            silo: None,
            temperature: None,
            max_tokens: Some(7),
            memory,
            request_count: 0,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    fn history(length: usize) -> Vec<(Author, String)> {
        let authors = [Author::User, Author::Agent];
        authors
            .into_iter()
            .cycle()
            .take(length)
            .enumerate()
            .map(|(at, author)| (author, format!("message {at}")))
            .collect()
    }

    fn contents(request: &ChatRequest) -> Vec<&str> {
        request.messages.iter().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn remembers_the_latest_and_begins_with_the_person() {
        let memory = Memory { enabled: true, max_messages: 3, max_tokens: 1_000 };
        let request = request(&agent(memory), None, &history(6), "now?");
        assert_eq!(contents(&request), ["message 4", "message 5", "Q: now?"]);
        assert_eq!(request.messages[0].role, Role::User);
        assert_eq!((request.system.as_deref(), request.max_tokens), (Some("Be kind."), Some(7)));
    }

    #[test]
    fn forgets_what_does_not_fit_or_is_not_wanted() {
        let narrow = Memory { enabled: true, max_messages: 10, max_tokens: 13 };
        assert_eq!(
            contents(&request(&agent(narrow), None, &history(6), "now?")),
            ["message 4", "message 5", "Q: now?"]
        );
        let none = Memory { enabled: false, ..narrow };
        assert_eq!(contents(&request(&agent(none), None, &history(6), "now?")), ["Q: now?"]);
    }
}
