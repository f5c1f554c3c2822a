use std::fs;
use std::os::unix::fs::PermissionsExt;

use omni_testkit::{Connection, PROVIDER_KEY, TestDatabase, TestPlane};
use tempfile::TempDir;
use url::Url;

use crate::canaries::canary::Canary;
use crate::program::Program;

pub(crate) const DATABASE_PASSWORD: &str = "c4n4ry-database-password";
pub(crate) const NATS_PASSWORD: &str = "c4n4ry-nats-password";
pub(crate) const CLIENT_SECRET: &str = "c4n4ry-oidc-client-secret";
const MASTER_KEY: &str = "c4n4ry-master-key-with-32-bytes!";
const INTERNAL_KEY: &str = "internal_sk_c4n4ry0123456789abcdef";
/// What callers prove themselves with to whoever takes it.
pub(crate) const BEARER: &str = "c4n4ry-bearer-token-of-a-caller";
pub(crate) const CALLERS_KEY: &str = "mattin_c4n4ry-api-key-of-a-caller";
/// A password in a URL where none belongs.
pub(crate) const URL_PASSWORD: &str = "c4n4ry-password-within-a-url";
pub(crate) const SPAWN_TOKEN: &str = "c4n4ry0123456789abcdef0123456789";
/// A session that nobody has.
pub(crate) const SESSION: &str = "c4n4ry-a-session-of-somebody-else";
/// What an identity provider gave for a sign-in.
pub(crate) const CODE: &str = "c4n4ry-authorization-code";
pub(crate) const ID_TOKEN: &str = "c4n4ry-within-an-id-token";

/// An installation with secrets in all places that have one.
pub(crate) struct Setting {
    database: TestDatabase,
    folder: TempDir,
    nats: String,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("data/keys");
        fs::create_dir_all(&keys).unwrap();
        for (file, secret) in [("master.key", MASTER_KEY), ("internal-api.key", INTERNAL_KEY)] {
            fs::write(keys.join(file), secret).unwrap();
            fs::set_permissions(keys.join(file), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let nats = format!("nats://omni:{NATS_PASSWORD}@127.0.0.1:9");
        Self { database: TestDatabase::new().await, folder, nats }
    }

    pub(crate) fn canaries(&self) -> Vec<Canary> {
        [
            ("database's password", DATABASE_PASSWORD),
            ("NATS's password", NATS_PASSWORD),
            ("client secret", CLIENT_SECRET),
            ("master key", MASTER_KEY),
            ("internal API key", INTERNAL_KEY),
            ("provider's key", PROVIDER_KEY),
            ("bearer token", BEARER),
            ("caller's API key", CALLERS_KEY),
            ("password in a URL", URL_PASSWORD),
            ("spawn token", SPAWN_TOKEN),
            ("foreign session", SESSION),
            ("authorization code", CODE),
            ("ID token", ID_TOKEN),
        ]
        .map(|(name, secret)| Canary::new(name, secret))
        .into()
    }

    /// The database's address, with a password that it does not ask for.
    fn database_url(&self) -> String {
        let mut url = Url::parse(self.database.url()).unwrap();
        url.set_password(Some(DATABASE_PASSWORD)).unwrap();
        url.into()
    }

    /// Starts the program, with these settings besides.
    pub(crate) async fn start(&self, level: &str, besides: &[(&str, &str)]) -> Program {
        let (data, database) = (self.folder.path().join("data").display().to_string(), self.database_url());
        let settings = [
            ("OMNI_DATA_DIR", &*data),
            ("DATABASE_URL", &database),
            ("NATS_URL", &self.nats),
            ("LOG_LEVEL", level),
            ("OMNI_EGRESS_ALLOW", "127.0.0.1/32"),
        ];
        Program::start(&[&settings, besides].concat()).await
    }

    /// Says something to the database itself.
    pub(crate) async fn sql(&self, statement: &str) {
        self.database.sql().await.batch_execute(statement).await.unwrap();
    }

    /// Takes the database away from everybody, or gives it back.
    pub(crate) async fn allow_connections(&self, allow: bool) {
        let (server, name) = (Connection::open(&TestPlane::get().database_url).await, self.database.name());
        server.batch_execute(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allow}")).await.unwrap();
        if !allow {
            let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            server.batch_execute(&end).await.unwrap();
        }
    }
}
