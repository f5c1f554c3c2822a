use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest, Sha256};

use crate::Issuer;

/// What the provider is made of, in the order in which it is written down.
const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../identity-provider/package.json")),
    ("package-lock.json", include_str!("../identity-provider/package-lock.json")),
    ("provider.mjs", include_str!("../identity-provider/provider.mjs")),
];

/// A certified OpenID provider on this machine: the npm package `oidc-provider`, in a process that ends with this value.
#[derive(Debug)]
pub struct IdentityProvider {
    issuer: Issuer,
    process: Child,
}

impl IdentityProvider {
    /// Starts it. The first test to need it has npm fetch what its lock file names.
    ///
    /// # Panics
    /// If node or npm is missing, or the provider does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = installed();
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs Node.js 20 or newer: `node` cannot be started: {error}"));
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().to_owned();
        assert!(
            url.starts_with("http://127.0.0.1:"),
            "`node provider.mjs` does not say where it is; run it to see why"
        );
        let issuer = Issuer { url, client_id: "omni".to_owned(), client_secret: "a secret + of: tests".to_owned() };
        Self { issuer, process }
    }

    /// What the API has to know of it.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Ends it, as an outage would.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder with the provider and its packages, made by the first of all tests that needs it.
fn installed() -> PathBuf {
    let digest = FILES.iter().fold(Sha256::new(), |digest, (_, text)| digest.chain_update(text)).finalize();
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/identity-provider").join(name);
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let is_complete = folder.join("complete");
    if !is_complete.exists() {
        for (name, text) in FILES {
            fs::write(folder.join(name), text).unwrap();
        }
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .output()
            .unwrap_or_else(|error| panic!("this test needs npm: it cannot be started: {error}"));
        assert!(npm.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&npm.stderr));
        fs::write(is_complete, "").unwrap();
    }
    folder
}
