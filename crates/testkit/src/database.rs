use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use omni_api::OperatingSystem;
use omni_domain::Entropy;
use omni_persistence::{Options, Store};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::{OnceCell, oneshot};
use url::Url;

use crate::{Connection, Snapshot, TestPlane};

/// What whoever makes the template locks, so that one does it and the others wait.
const TEMPLATE_LOCK: i64 = 0x7465_7374;
const PATIENCE: Duration = Duration::from_secs(10);

/// A database of one test, with the schema of the migrations and nothing in it. It is gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    sql: OnceCell<Connection>,
    blobs: TempDir,
    keeper: Option<Keeper>,
}

/// A thread that holds a lock on the database's name for as long as the test needs it, and drops the database then. A name
/// that nobody holds is of a test that was killed.
#[derive(Debug)]
struct Keeper {
    release: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl TestDatabase {
    /// A new one.
    ///
    /// # Panics
    /// If the servers cannot be started or the database cannot be made.
    pub async fn new() -> Self {
        Self::made(true).await
    }

    /// A new one without any schema.
    ///
    /// # Panics
    /// As [`TestDatabase::new`].
    pub async fn empty() -> Self {
        Self::made(false).await
    }

    async fn made(migrated: bool) -> Self {
        let name = unique_name();
        let (ready, is_ready) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let kept = name.clone();
        let thread = std::thread::spawn(move || keep(&kept, migrated, ready, released));
        let url = is_ready.await.expect("a database for this test");
        let blobs = tempfile::tempdir().unwrap();
        Self { name, url, sql: OnceCell::new(), blobs, keeper: Some(Keeper { release, thread }) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of the files that are kept beside it.
    #[must_use]
    pub fn blobs(&self) -> &Path {
        self.blobs.path()
    }

    /// The store over it, with a few connections of its own.
    #[must_use]
    pub fn store(&self) -> Store {
        store(&self.url, 4)
    }

    /// A connection for the test's own SQL.
    pub async fn sql(&self) -> &Connection {
        self.sql.get_or_init(|| Connection::open(&self.url)).await
    }

    /// What is stored in every table.
    pub async fn snapshot(&self) -> Snapshot {
        Snapshot::take(self.sql().await).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.sql.take();
        if let Some(Keeper { release, thread }) = self.keeper.take() {
            drop(release);
            // A keeper that failed has said so, and the next run cleans up.
            let _ = thread.join();
        }
    }
}

pub(crate) fn store(url: &str, connections: usize) -> Store {
    Store::new(&Options { url: url.to_owned(), connections, patience: PATIENCE }).unwrap()
}

/// Makes the database, says where it is, and drops it when nobody needs it any more.
fn keep(name: &str, migrated: bool, ready: oneshot::Sender<String>, released: oneshot::Receiver<()>) {
    let server = &TestPlane::get().database_url;
    // Migrations need a runtime of several threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = Connection::open(server).await;
        admin.batch_execute(&format!("SELECT pg_advisory_lock(hashtext('{name}'))")).await.unwrap();
        let template = if migrated { template(&admin, server).await } else { "template0".to_owned() };
        admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.unwrap();
        // Whoever asked may have been cancelled meanwhile.
        let _ = ready.send(at(server, name));
        let _ = released.await;
        admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    });
}

/// The template with the schema that the migrations make now; the first to need it makes it.
async fn template(admin: &Connection, server: &str) -> String {
    let name = format!("omni_template_{}", fingerprint());
    let exists = format!("SELECT FROM pg_database WHERE datname = '{name}'");
    if admin.any(&exists).await {
        return name;
    }
    admin.batch_execute(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await.unwrap();
    if !admin.any(&exists).await {
        remove_what_killed_tests_left(admin).await;
        let unfinished = format!("{name}_unfinished");
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await.unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {unfinished} TEMPLATE template0")).await.unwrap();
        store(&at(server, &unfinished), 1).migrate().await.expect("the migrations can be applied");
        admin.batch_execute(&format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await.unwrap();
    }
    admin.batch_execute(&format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await.unwrap();
    name
}

async fn remove_what_killed_tests_left(admin: &Connection) {
    let abandoned = admin
        .query(
            "SELECT datname::text FROM pg_database \
             WHERE datname LIKE 'omni\\_test\\_%' AND pg_try_advisory_lock(hashtext(datname))",
            &[],
        )
        .await
        .unwrap();
    for row in abandoned {
        let name: String = row.get(0);
        // Somebody else may be faster.
        let _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

/// The address of another database of the same server.
fn at(server: &str, database: &str) -> String {
    let mut url = Url::parse(server).unwrap();
    url.set_path(database);
    url.into()
}

fn unique_name() -> String {
    let mut bytes = [0; 8];
    OperatingSystem.fill(&mut bytes);
    format!("omni_test_{:016x}", u64::from_be_bytes(bytes))
}

/// What tells one schema from another: the text of all migrations.
fn fingerprint() -> String {
    let mut files = Vec::new();
    list_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations"), &mut files);
    files.sort();
    let digest =
        files.iter().fold(Sha256::new(), |digest, file| digest.chain_update(fs::read(file).unwrap())).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn list_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list_files(&path, files) } else { files.push(path) }
    }
}
