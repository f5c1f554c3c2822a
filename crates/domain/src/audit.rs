//! What the audit trail keeps: who did what to which thing, from what to what, and from where.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{ApiKeyId, AppId, Timestamp, UserId};

/// The most characters of one value that the trail keeps. That a longer one changed is seen all the same.
const MOST_CHARACTERS: usize = 2_000;

/// Where a request came from, as far as it can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// What was asked: method and path.
    pub call: String,
    /// What the request is called in the logs.
    pub request_id: String,
    /// The caller's address.
    pub address: Option<IpAddr>,
    /// What the caller's program calls itself.
    pub user_agent: Option<String>,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person; none if a program acts by a key.
    pub user: Option<UserId>,
    /// The key by which a program acts.
    pub key: Option<ApiKeyId>,
    /// The person's address or the key's name, as it is now: accounts and keys can go before the trail does.
    pub name: String,
}

/// Who acts, from where, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// When they were let in.
    pub at: Timestamp,
}

impl Provenance {
    /// The program itself, which acts for nobody.
    #[must_use]
    pub fn of_the_program(why: &str, at: Timestamp) -> Self {
        let actor = Actor { user: None, key: None, name: "omni-api".to_owned() };
        Self { actor, origin: Origin { call: why.to_owned(), ..Origin::default() }, at }
    }
}

/// What can be said of a thing, by the names that its users know. A secret is represented by its mask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(Map<String, Value>);

impl Facts {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more. One that is not there is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Null) | Err(_) => {}
            Ok(value) => {
                self.0.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// With these as well.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

/// A kind of thing whose changes are kept in the trail.
pub trait Audited {
    /// What the kind is called: `agent`.
    const KIND: &'static str;

    /// The thing's number.
    fn number(&self) -> i64;

    /// What its users call it.
    fn title(&self) -> &str;

    /// What there is to say of it.
    fn facts(&self) -> Facts;
}

/// What was done, and to which thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// The act: `agent.update`.
    pub action: String,
    /// The thing that it was done to, if it was one.
    pub target: Option<Target>,
    /// What is different now.
    pub changes: BTreeMap<String, Change>,
    /// Whether it was done.
    pub outcome: Outcome,
}

/// The thing that something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its kind.
    pub kind: String,
    /// Its number.
    pub id: i64,
    /// What it was called.
    pub name: String,
}

/// How one fact changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// Whether something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Done,
    /// It was refused, for the reason of this code.
    Refused(String),
}

impl Deed {
    /// Something that is done to no stored thing, or changes nothing of it that could be said.
    pub fn plain(action: impl Into<String>) -> Self {
        Self { action: action.into(), target: None, changes: BTreeMap::new(), outcome: Outcome::Done }
    }

    /// Something that was refused.
    pub fn refused(action: impl Into<String>, code: impl Into<String>) -> Self {
        Self { outcome: Outcome::Refused(code.into()), ..Self::plain(action) }
    }

    /// A thing was made.
    pub fn create<T: Audited>(made: &T) -> Self {
        Self::of(made, "create", None, Some(&made.facts()))
    }

    /// A thing was changed.
    pub fn update<T: Audited>(before: &T, after: &T) -> Self {
        Self::of(after, "update", Some(&before.facts()), Some(&after.facts()))
    }

    /// A thing was removed.
    pub fn delete<T: Audited>(gone: &T) -> Self {
        Self::of(gone, "delete", Some(&gone.facts()), None)
    }

    /// The same, done to the thing of this kind and number.
    #[must_use]
    pub fn at(self, kind: &str, id: i64) -> Self {
        Self { target: Some(Target { kind: kind.to_owned(), id, name: String::new() }), ..self }
    }

    /// The same by another name than that of what it comes to.
    #[must_use]
    pub fn called(self, action: &str) -> Self {
        Self { action: action.to_owned(), ..self }
    }

    fn of<T: Audited>(thing: &T, verb: &str, before: Option<&Facts>, after: Option<&Facts>) -> Self {
        Self {
            target: Some(Target { kind: T::KIND.to_owned(), id: thing.number(), name: thing.title().to_owned() }),
            changes: changes(before, after),
            ..Self::plain(format!("{}.{verb}", T::KIND))
        }
    }
}

/// What is different between two states of a thing. Values are compared whole and kept in part.
fn changes(before: Option<&Facts>, after: Option<&Facts>) -> BTreeMap<String, Change> {
    let value = |facts: Option<&Facts>, name: &str| facts.and_then(|facts| facts.0.get(name)).cloned();
    let names = before.into_iter().chain(after).flat_map(|facts| facts.0.keys());
    names
        .map(|name| (name, Change { from: value(before, name), to: value(after, name) }))
        .filter(|(_, change)| change.from != change.to)
        .map(|(name, Change { from, to })| (name.clone(), Change { from: from.map(shortened), to: to.map(shortened) }))
        .collect()
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => {
                let kept = text.get(..end).unwrap_or_default();
                Value::String(format!("{kept}… ({} characters)", text.chars().count()))
            }
            None => Value::String(text),
        },
        Value::Array(values) => Value::Array(values.into_iter().map(shortened).collect()),
        Value::Object(map) => Value::Object(map.into_iter().map(|(name, value)| (name, shortened(value))).collect()),
        other => other,
    }
}

/// One entry of the trail, as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// The app whose trail it is in; none for what is done above all apps.
    pub app: Option<AppId>,
    /// Its place in the trail.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What was done, by whom, to what: the text that is hashed, JSON.
    pub entry: String,
    /// The SHA-256 of the entry before it and of this text.
    pub hash: Vec<u8>,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this person did.
    pub actor: Option<UserId>,
    /// Only this act, or with a dot at its end all that begin so: `agent.`.
    pub action: Option<String>,
    /// Only what was done, or only what was refused.
    pub refused: Option<bool>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
}

/// What a check of a trail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many entries there are.
    pub entries: u64,
    /// The place of the first of them.
    pub first: u64,
    /// The place of the last of them.
    pub last: u64,
    /// The place of the first entry that is not what it was when it was written, or is missing.
    pub broken_at: Option<u64>,
    /// The hash of the last entry: who keeps it elsewhere can tell later whether all before it is still what it was.
    pub head: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing(&'static str, Option<&'static str>);

    impl Audited for Thing {
        const KIND: &'static str = "thing";

        fn number(&self) -> i64 {
            7
        }

        fn title(&self) -> &str {
            self.0
        }

        fn facts(&self) -> Facts {
            Facts::new().with("name", self.0).with("note", self.1)
        }
    }

    #[test]
    fn says_from_what_to_what() {
        let deed = Deed::update(&Thing("a", Some("x")), &Thing("b", None));
        assert_eq!(deed.action, "thing.update");
        assert_eq!(deed.target.unwrap().name, "b");
        let change = |from: &str, to: Option<&str>| Change { from: Some(from.into()), to: to.map(Into::into) };
        let expected = BTreeMap::from([("name".into(), change("a", Some("b"))), ("note".into(), change("x", None))]);
        assert_eq!(deed.changes, expected);
        assert!(Deed::update(&Thing("a", None), &Thing("a", None)).changes.is_empty());
        assert_eq!(Deed::create(&Thing("a", None)).changes.len(), 1);
    }

    #[test]
    fn a_long_text_is_kept_in_part_and_compared_whole() {
        let (long, longer) = ("ü".repeat(5_000), format!("{}x", "ü".repeat(4_999)));
        let facts = |text: &str| Facts::new().with("prompt", text);
        let found = changes(Some(&facts(&long)), Some(&facts(&longer)));
        let kept = found["prompt"].to.as_ref().unwrap().as_str().unwrap();
        assert!(kept.ends_with("… (5000 characters)"), "{kept}");
        assert!(kept.chars().count() < 2_030);
    }
}
