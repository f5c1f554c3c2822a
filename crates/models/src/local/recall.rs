//! Finding what was already said about a question.

use super::rank::{coverage, scores};
use super::reply::is_own;
use super::sentences::sentences;
use super::terms::terms;
use crate::chat::{ChatRequest, Role};

/// What is looked through at most, the newest first, so that a question never takes long.
const MOST_MESSAGES: usize = 200;
const MOST_PASSAGES: usize = 50;
const MOST_SENTENCES: usize = 1_000;
/// The most sentences of one message or passage.
const MOST_OF_ONE: usize = 200;
/// The most sentences that are quoted.
const MOST_QUOTES: usize = 3;
/// How many of the question's terms a sentence has to have.
const LEAST_COVERAGE: f64 = 0.4;
/// How good a further quote has to be, beside the best.
const LEAST_OF_BEST: f64 = 0.4;
/// Questions are about a matter, but seldom say much about it.
const WORTH_OF_QUESTION: f64 = 0.5;

/// Where a sentence is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source<'a> {
    Person,
    Model,
    Passage(&'a str),
}

/// A sentence that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote<'a> {
    pub(super) source: Source<'a>,
    pub(super) sentence: &'a str,
}

/// The sentences that say most about `question`, the best first. `whose` leaves out everybody else's.
pub(super) fn recall<'a>(request: &'a ChatRequest, question: &[String], whose: Option<Source<'_>>) -> Vec<Quote<'a>> {
    let mut quotes = everything(request);
    quotes.retain(|quote| whose.is_none_or(|whose| quote.source == whose));
    let texts: Vec<Vec<String>> = quotes.iter().map(|quote| terms(quote.sentence)).collect();
    let scores = scores(question, &texts);
    let mut found: Vec<(f64, Quote<'a>)> = quotes
        .into_iter()
        .zip(&texts)
        .zip(scores)
        .filter(|((_, text), score)| *score > 0.0 && coverage(question, text) >= LEAST_COVERAGE)
        .map(|((quote, _), score)| (score * worth(quote.sentence), quote))
        .collect();
    // Stable: of equals, the newest comes first.
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let least = found.first().map_or(0.0, |(best, _)| best * LEAST_OF_BEST);
    let mut best: Vec<Quote<'a>> = Vec::new();
    for (_, quote) in found.into_iter().filter(|(score, _)| *score >= least) {
        if best.len() < MOST_QUOTES && !best.iter().any(|known| known.sentence == quote.sentence) {
            best.push(quote);
        }
    }
    best
}

/// What the person said before the question, the newest first, a sentence of each message.
pub(super) fn said_by_person(request: &ChatRequest) -> impl Iterator<Item = &str> {
    before_question(request)
        .filter(|message| message.role == Role::User)
        .filter_map(|message| sentences(&message.content).next())
}

/// Every sentence that may be quoted: passages, then messages from the newest to the oldest.
fn everything(request: &ChatRequest) -> Vec<Quote<'_>> {
    let passages = request.passages.iter().take(MOST_PASSAGES).flat_map(|passage| {
        let source = Source::Passage(&passage.source);
        sentences(&passage.text).take(MOST_OF_ONE).map(move |sentence| Quote { source, sentence })
    });
    let messages = before_question(request).filter(|message| !is_own(message)).flat_map(|message| {
        let source = match message.role {
            Role::User => Source::Person,
            Role::Assistant => Source::Model,
        };
        sentences(&message.content).take(MOST_OF_ONE).map(move |sentence| Quote { source, sentence })
    });
    passages.chain(messages).take(MOST_SENTENCES).collect()
}

fn before_question(request: &ChatRequest) -> impl Iterator<Item = &crate::chat::ChatMessage> {
    request.messages.iter().rev().skip(1).take(MOST_MESSAGES)
}

fn worth(sentence: &str) -> f64 {
    if sentence.ends_with(['?', '？']) { WORTH_OF_QUESTION } else { 1.0 }
}
