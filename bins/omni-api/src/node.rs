//! What this machine is called and what its services prove themselves with: made at the first start, kept beside the data.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use omni_config::DataDir;
use omni_domain::Entropy;
use omni_registry::NodeId;
use secrecy::SecretString;

/// This machine, as far as this data folder goes.
pub(crate) struct Node {
    /// What it is called in the service registry.
    pub(crate) id: NodeId,
    /// The key that its services share. Kept, so that a service which outlives this process still has it.
    pub(crate) internal_key: SecretString,
}

impl Node {
    /// Reads both, and makes what is not there yet.
    pub(crate) fn of(data: &DataDir, entropy: &dyn Entropy) -> anyhow::Result<Self> {
        let id = kept(&data.path().join("node-id"), || format!("node-{}", random(entropy)))?;
        let key = kept(&data.keys().join("internal-api.key"), || format!("internal_sk_{}", random(entropy)))?;
        Ok(Self { id: NodeId::new(&id).context("the file `node-id` holds no id")?, internal_key: key.into() })
    }
}

/// What the file says, which nobody else may read; made first if it is not there.
fn kept(path: &Path, make: impl FnOnce() -> String) -> anyhow::Result<String> {
    let read = || fs::read_to_string(path).map(|text| text.trim().to_owned());
    let text = match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => match write_new(path, &make()) {
            // Somebody else was faster; theirs holds.
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => read(),
        },
        other => other,
    };
    text.with_context(|| format!("{} cannot be read or made", path.display()))
}

/// Writes a file whole or not at all: whoever finds it, finds all of it.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked
}

fn random(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use omni_process::OperatingSystem;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn what_was_made_once_is_kept_from_others_and_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("a.key");
        assert_eq!(kept(&path, || "first".to_owned()).unwrap(), "first");
        assert_eq!(kept(&path, || "second".to_owned()).unwrap(), "first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(write_new(&path, "third").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_node_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let environment: std::collections::BTreeMap<_, _> =
            [("OMNI_DATA_DIR", folder.path().join("data").display().to_string())].into();
        let data = omni_config::GatewayConfig::load(None, &environment).unwrap().config.data_dir;
        let (first, second) = (Node::of(&data, &OperatingSystem).unwrap(), Node::of(&data, &OperatingSystem).unwrap());
        assert_eq!(first.id, second.id);
        assert_eq!(first.internal_key.expose_secret(), second.internal_key.expose_secret());
        assert!(first.internal_key.expose_secret().starts_with("internal_sk_"));
    }
}
