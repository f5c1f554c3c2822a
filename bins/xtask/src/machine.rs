//! What comes from outside: the environment, randomness, and a person's terminal.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use omni_dataplane::Places;
use omni_domain::Entropy;

/// One variable of the environment; set and empty is not set.
#[expect(clippy::disallowed_methods, reason = "this program starts others and decides what they read")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// As [`variable`], for values that are text.
pub(crate) fn text_variable(name: &str) -> anyhow::Result<Option<String>> {
    let text = variable(name).map(|value| value.into_string().map_err(|_| anyhow::anyhow!("{name} is not UTF-8")));
    text.transpose()
}

/// The variables that cargo has set for this program. A build inside must not see them: some build scripts (of ring) run
/// again when they change, and everything above is compiled anew each time one changes between `cargo` and us.
pub(crate) fn set_by_cargo() -> impl Iterator<Item = OsString> {
    let ours = |name: &OsString| {
        let name = name.to_string_lossy();
        ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
    };
    std::env::vars_os().map(|(name, _)| name).filter(ours)
}

/// Where programs, sockets and throw-away directories are on this machine.
pub(crate) fn places(data_dir: &Path) -> Places {
    Places::from_env(variable, data_dir)
}

/// Tells the person who waits what is going on. Standard error, because standard output is for results.
pub(crate) fn report(sentence: &str) {
    // A closed terminal must not stop anything.
    let _ = writeln!(io::stderr(), "{sentence}");
}

/// The operating system's generator.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the one source of this program; a system without randomness cannot keep a secret"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has randomness");
    }
}
