//! What the built-in model says.

use std::fmt::Write;

use super::recall::{Quote, Source, recall, said_by_person};
use super::terms::{is_telling, terms, words};
use crate::chat::{ChatMessage, ChatRequest, Role};

/// What every reply says first; a message with it is one of these replies, and no source for the next.
const NO_MODEL: &str = "No AI model is connected to this agent";
const HOW_TO_CONNECT: &str = "For real answers, add an AI service (a provider, a model and its API key, or the address \
of a model server of your own such as Ollama) and choose it for this agent.";

const GREETINGS: &str = "aloha bonjour buenas buenos ciao day evening good greetings guten hallo hello help hey hi \
hola howdy kaixo morning moin namaste olá salut servus tag test welcome yo";
const RECAPS: &str = "conversation discussed recap summarise summarize summary talked far topics";
/// How questions and requests begin that have no question mark.
const ASKING: &str = "are can could describe did do does explain find give how is list show should tell was were what \
when where which who whom whose why will would";
const SAYING: &str = "ask asked mention mentioned promised said say tell told talk talked write written wrote";

/// The most characters of a quote, of a source's name, and of the words that a question is said to be about.
const LONGEST_QUOTE: usize = 300;
const LONGEST_NAME: usize = 80;
/// The most characters of a message that are read as a question.
const LONGEST_QUESTION: usize = 2_000;
const MOST_RECALLED: usize = 5;

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// Whether the message is a reply of this model.
pub(super) fn is_own(message: &ChatMessage) -> bool {
    message.role == Role::Assistant && message.content.contains(NO_MODEL)
}

/// The answer to the last message. Never empty, and never longer than a few quotes.
pub(super) fn reply_to(request: &ChatRequest) -> String {
    let reply = reply_to_words(request);
    let shown = request.messages.last().map_or(0, |message| message.images.len());
    match shown {
        0 => reply,
        1 => format!("I cannot see images, so I did not look at the one that you sent. {reply}"),
        _ => format!("I cannot see images, so I did not look at those that you sent. {reply}"),
    }
}

fn reply_to_words(request: &ChatRequest) -> String {
    let last = request.messages.last().map_or("", |message| &message.content);
    let question: String = last.chars().take(LONGEST_QUESTION).collect();
    let words = words(&question);
    let says = |list: &str| words.iter().any(|word| is_in(list, word));
    let is_about = |word: &str| is_telling(word) && !is_in(GREETINGS, word) && !is_in(SAYING, word);
    let about: Vec<&str> = words.iter().map(String::as_str).filter(|word| is_about(word)).collect();

    if about.iter().all(|word| is_in(RECAPS, word)) && (says(RECAPS) || says(SAYING)) {
        return recapitulate(request);
    }
    if about.is_empty() {
        return greet(says(GREETINGS));
    }
    let whose = match (says(SAYING), says("i my me"), says("you your")) {
        (true, true, false) => Some(Source::Person),
        (true, false, true) => Some(Source::Model),
        _ => None,
    };
    let quotes = recall(request, &terms(&about.join(" ")), whose);
    let topic = shortened(&topic(&question, &is_about), LONGEST_NAME);
    if !quotes.is_empty() {
        return quote(&topic, &quotes);
    }
    let asks = question.contains(['?', '？']) || words.first().is_some_and(|word| is_in(ASKING, word));
    if asks { regret(&topic, request) } else { keep(&topic) }
}

fn greet(greeted: bool) -> String {
    let hello = if greeted { "Hello! " } else { "" };
    format!(
        "{hello}{NO_MODEL} yet, so I cannot think of an answer myself. What I can do is find and quote what was said \
         in this conversation: try “What did I say about …?”.\n\n{HOW_TO_CONNECT}"
    )
}

fn quote(topic: &str, quotes: &[Quote<'_>]) -> String {
    let mut text = format!("{NO_MODEL}, so this is quoted and not thought up. What I found about “{topic}”:\n");
    for Quote { source, sentence } in quotes {
        let said = match source {
            Source::Person => "You said".to_owned(),
            Source::Model => "An earlier answer said".to_owned(),
            Source::Passage(name) => format!("From {}", shortened(name, LONGEST_NAME)),
        };
        push(&mut text, format_args!("\n> {said}: “{}”\n", shortened(sentence, LONGEST_QUOTE)));
    }
    text.push('\n');
    text.push_str(HOW_TO_CONNECT);
    text
}

fn regret(topic: &str, request: &ChatRequest) -> String {
    let places = if request.passages.is_empty() { "" } else { " or in the passages that came with it" };
    format!(
        "{NO_MODEL}, so I can only quote, and I found nothing about “{topic}” in this conversation{places}.\
         \n\n{HOW_TO_CONNECT}"
    )
}

/// For what was no question.
fn keep(topic: &str) -> String {
    format!(
        "{NO_MODEL}, so I have nothing to say to that. But it stays in this conversation, and I can quote it when you \
         ask about “{topic}”.\n\n{HOW_TO_CONNECT}"
    )
}

fn recapitulate(request: &ChatRequest) -> String {
    let mut said: Vec<&str> = said_by_person(request).take(MOST_RECALLED).collect();
    if said.is_empty() {
        return format!(
            "{NO_MODEL}, and there is nothing in this conversation yet that I could quote.\n\n{HOW_TO_CONNECT}"
        );
    }
    said.reverse();
    let mut text = format!("{NO_MODEL}, so I cannot sum it up. But here is what you said last:\n\n");
    for sentence in said {
        push(&mut text, format_args!("- “{}”\n", shortened(sentence, LONGEST_QUOTE)));
    }
    text.push('\n');
    text.push_str(HOW_TO_CONNECT);
    text
}

/// The words of a question that it is about, as they were written, from the first to the last of them.
fn topic(question: &str, is_about: &impl Fn(&str) -> bool) -> String {
    let told = |written: &&str| words(written).iter().any(|word| is_about(word));
    let mut written: Vec<&str> = question.split_whitespace().skip_while(|word| !told(word)).collect();
    while written.last().is_some_and(|word| !told(word)) {
        written.pop();
    }
    let topic = written.join(" ");
    topic.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned()
}

/// `text` on one line and with at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chat::Passage;

    const LONGEST_REPLY: usize = 8 * 1024;

    fn conversation(last: &str) -> ChatRequest {
        ChatRequest::new(vec![
            ChatMessage::user("My name is Ada. The shop opens at nine on Sundays, and it is closed on Mondays."),
            ChatMessage::assistant("Thank you, Ada! I will remember the opening hours."),
            ChatMessage::user("Our delivery takes three days. When does the shop open on Sunday?"),
            ChatMessage::assistant(format!("{NO_MODEL}, so this is quoted. Delivery Sunday shop name.")),
            ChatMessage::user(last),
        ])
    }

    #[test]
    fn a_first_hello_is_answered_honestly() {
        for hello in ["hello", "Hi!", "Good morning", "Hola", ""] {
            let reply = reply_to(&ChatRequest::new(vec![ChatMessage::user(hello)]));
            assert!(reply.contains(NO_MODEL) && reply.contains("add an AI service"), "{reply}");
            assert_eq!(reply.starts_with("Hello!"), !hello.is_empty(), "{reply}");
        }
        assert!(reply_to(&ChatRequest::default()).contains(NO_MODEL));
    }

    #[test]
    fn an_image_is_not_pretended_to_be_seen() {
        let image = crate::image::Image::new(b"GIF89a".as_slice()).unwrap();
        let mut request = conversation("What is my name?");
        request.messages.last_mut().unwrap().images = vec![image.clone()];
        let reply = reply_to(&request);
        assert!(reply.starts_with("I cannot see images") && reply.contains("You said: “My name is Ada.”"), "{reply}");
        let silent = ChatRequest::new(vec![ChatMessage::user("").with_images(vec![image])]);
        assert!(reply_to(&silent).starts_with("I cannot see images"));
    }

    #[test]
    fn what_was_said_is_quoted_with_who_said_it() {
        for (question, found) in [
            ("What is my name?", "You said: “My name is Ada.”"),
            (
                "When do you open on Sundays?",
                "You said: “The shop opens at nine on Sundays, and it is closed on Mondays.”",
            ),
            ("How long does a delivery take?", "You said: “Our delivery takes three days.”"),
            ("What did you say about opening hours?", "An earlier answer said: “I will remember the opening hours.”"),
            ("What did I say about the delivery?", "You said: “Our delivery takes three days.”"),
        ] {
            let reply = reply_to(&conversation(question));
            assert!(reply.contains(NO_MODEL) && reply.contains(found), "{question}\n{reply}");
            assert!(!reply.contains("this is quoted. Delivery"), "it quotes itself: {reply}");
        }
        assert!(!reply_to(&conversation("What did you say about the delivery?")).contains("You said"));
    }

    #[test]
    fn passages_are_quoted_with_their_source() {
        let mut request = conversation("What is the refund policy?");
        request.passages = vec![Passage::new("Refunds are paid within 14 days.\nThe policy is strict.", "terms.pdf")];
        let reply = reply_to(&request);
        assert!(reply.contains("> From terms.pdf: “Refunds are paid within 14 days.”"), "{reply}");
    }

    #[test]
    fn what_was_not_said_is_not_made_up() {
        let reply = reply_to(&conversation("Who wrote the Quixote novel, please?"));
        assert!(reply.contains("I found nothing about “Quixote novel”"), "{reply}");
    }

    #[test]
    fn what_is_told_is_kept() {
        let reply = reply_to(&ChatRequest::new(vec![ChatMessage::user("My dog is called Rex.")]));
        assert!(reply.contains("I can quote it when you ask about “dog is called Rex”"), "{reply}");
    }

    #[test]
    fn a_recap_lists_what_was_said() {
        let reply = reply_to(&conversation("What did I say so far?"));
        assert!(reply.contains("- “My name is Ada.”\n- “Our delivery takes three days.”"), "{reply}");
        let reply = reply_to(&ChatRequest::new(vec![ChatMessage::user("Summarize our conversation")]));
        assert!(reply.contains("nothing in this conversation yet"), "{reply}");
    }

    #[test]
    fn other_languages_are_searched_too() {
        let ask = |said: &str, question: &str| {
            reply_to(&ChatRequest::new(vec![ChatMessage::user(said), ChatMessage::user(question)]))
        };
        assert!(ask("配送は月曜日です。", "配送は何曜日ですか").contains("“配送は月曜日です。”"));
        assert!(ask("Der Laden öffnet um neun.", "Wann öffnet der Laden?").contains("“Der Laden öffnet um neun.”"));
    }

    fn anything() -> impl Strategy<Value = ChatRequest> {
        let text = prop_oneof![any::<String>(), "[a-zA-Z .?!\n]{0,200}", "(what|did|I|say|about|hello|shop| ){0,20}"];
        let message = (any::<bool>(), text.clone())
            .prop_map(|(user, text)| if user { ChatMessage::user(text) } else { ChatMessage::assistant(text) });
        let passage = (text.clone(), text).prop_map(|(text, source)| Passage::new(text, source));
        (prop::collection::vec(message, 0..6), prop::collection::vec(passage, 0..3)).prop_map(|(messages, passages)| {
            let mut request = ChatRequest::new(messages);
            request.passages = passages;
            request
        })
    }

    proptest! {
        #[test]
        fn there_is_always_a_bounded_honest_and_equal_answer(request in anything()) {
            let reply = reply_to(&request);
            prop_assert!(reply.contains(NO_MODEL) && reply.contains(HOW_TO_CONNECT));
            prop_assert!(reply.len() < LONGEST_REPLY);
            prop_assert_eq!(reply, reply_to(&request));
        }
    }

    #[test]
    fn a_long_conversation_is_not_a_long_answer() {
        let long = "The shop has a very long description of everything ".repeat(20_000);
        let messages = (0..20).map(|_| ChatMessage::user(long.clone())).chain([ChatMessage::user(format!("{long}?"))]);
        let mut request = ChatRequest::new(messages.collect());
        request.passages = vec![Passage::new(long.clone(), long)];
        assert!(reply_to(&request).len() < LONGEST_REPLY);
    }
}
