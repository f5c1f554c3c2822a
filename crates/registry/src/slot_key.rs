use std::fmt;
use std::str::FromStr;

use omni_domain::Invalid;
use serde::Serialize;

/// The longest name of a service, in bytes.
const LONGEST_NAME: usize = 64;
/// The longest name of a node, in bytes.
const LONGEST_NODE: usize = 128;

/// What a service calls itself, such as `discord` or `whatsapp-baileys`: 1 to 64 letters, digits, `.`, `_`, `-` and `:`
/// of ASCII, beginning with a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ServiceName(String);

/// The machine that a service runs on: what the operator configured, or an id that the machine keeps. 1 to 128
/// characters, spelled like a [`ServiceName`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct NodeId(String);

/// The place that incarnations of one service follow one another in: a name on a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SlotKey {
    /// The machine.
    pub node: NodeId,
    /// The name on that machine.
    pub name: ServiceName,
}

impl ServiceName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it is not spelled as described above; the field is `name`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        spelled("name", text, LONGEST_NAME).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeId {
    /// Checks the name of a node.
    ///
    /// # Errors
    /// When it is not spelled as described above; the field is `nodeId`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        spelled("nodeId", text, LONGEST_NODE).map(Self)
    }

    /// The name of the node.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn spelled(field: &'static str, text: &str, longest: usize) -> Result<String, Invalid> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins_well && text.len() <= longest && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(
        field,
        format!("must be 1 to {longest} letters, digits, `.`, `_`, `-` or `:` and begin with a letter or a digit"),
    ))
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.name)
    }
}

impl FromStr for ServiceName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl FromStr for NodeId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_names_that_services_have() {
        for name in ["discord", "whatsapp-baileys", "Media_Processor.2", "channel:telegram", "7"] {
            assert_eq!(ServiceName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_what_would_mean_something_elsewhere() {
        let long = "n".repeat(65);
        for name in ["", ".hidden", "-rf", "a b", "a/b", "a*", "a>", "naïve", "a\0", "a\n", &long] {
            assert_eq!(ServiceName::new(name).unwrap_err().field, "name", "{name:?}");
        }
        assert_eq!(NodeId::new("").unwrap_err().field, "nodeId");
        assert!(NodeId::new(&long).is_ok(), "a node may be called by its full host name");
    }
}
