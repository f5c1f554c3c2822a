use std::path::Path;

use omni_domain::Entropy;
use omni_persistence::Store;
use omni_rbac::SystemGrant;
use omni_sealing::MasterKey;

use crate::Misconfigured;

/// The key in the file, if it is the one that this installation's secrets were sealed with; at the first start, a new one.
/// With `accept_new`, any key is taken, and what another one has sealed is given up.
///
/// # Errors
/// [`Misconfigured`] if it is another key or none: a new one would silently make every sealed secret worthless.
pub async fn master_key(
    store: &Store,
    path: &Path,
    accept_new: bool,
    entropy: &dyn Entropy,
) -> anyhow::Result<MasterKey> {
    let leave = SystemGrant::because("the master key must be the one that the secrets were sealed with");
    let (found, known) = (MasterKey::read_file(path)?, store.key_check(&leave).await?);
    match (&found, &known) {
        (Some(key), Some(check)) if key.made(check) => return Ok(key.clone()),
        (_, Some(_)) if !accept_new => return Err(Misconfigured(refusal(path, found.is_some())).into()),
        (_, Some(_)) => {
            tracing::warn!("a new master key is accepted; the keys of AI services have to be entered again");
        }
        (_, None) => {}
    }
    let key = match found {
        Some(key) => key,
        None => MasterKey::make_file(path, entropy)?,
    };
    if store.replace_key_check(&leave, known, key.check_value(entropy)?).await? {
        return Ok(key);
    }
    // Another replica was faster, which is well if it has the same key.
    match store.key_check(&leave).await? {
        Some(check) if key.made(&check) => Ok(key),
        _ => Err(Misconfigured(refusal(path, true)).into()),
    }
}

fn refusal(path: &Path, is_there: bool) -> String {
    let problem = if is_there {
        "holds another key than the one that the secrets in the database were sealed with"
    } else {
        "is not there, and the secrets in the database were sealed with the key that it held"
    };
    format!(
        "OMNI_SECRET_KEY_FILE: {} {problem}. Put that key back, from its backup or from where the file was before. If it \
         is lost, start once with --accept-new-key: the keys of AI services then have to be entered again",
        path.display()
    )
}
