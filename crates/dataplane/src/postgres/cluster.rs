//! The data directory: made once, never made again over something that is there.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::{NAME, Plan};
use crate::account::{Account, is_empty};
use crate::error::Server;
use crate::options::Profile;
use crate::{Error, residents};

/// Below the data directory of the data plane.
pub(super) const DIRECTORY: &str = "pg";
/// Where a cluster is made before it is moved into its place; one that is found here was never finished.
const UNFINISHED: &str = "pg.new";
const LONGEST_INITDB: Duration = Duration::from_secs(120);
/// From this version on PostgreSQL brings a locale of its own that knows Unicode and sorts by code point everywhere.
const FIRST_WITH_BUILTIN_LOCALE: u32 = 17;

/// The major version of the cluster below `data_dir`, if there is one.
///
/// # Errors
/// [`Error::NotACluster`] if the directory holds something else.
pub(crate) fn existing_major(data_dir: &Path) -> Result<Option<u32>, Error> {
    let directory = data_dir.join(DIRECTORY);
    let path = directory.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => Err(Error::NotACluster { path: directory }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if directory.exists() && !is_empty(&directory)? {
                return Err(Error::NotACluster { path: directory });
            }
            Ok(None)
        }
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// The account of the cluster below `data_dir`, or the one that a new cluster will have.
pub(crate) fn account(data_dir: &Path) -> Result<Account, Error> {
    Account::for_directory(&data_dir.join(DIRECTORY))
}

/// Makes the cluster if there is none, and clears away what a crash left of the last run.
pub(super) async fn prepare(plan: &Plan<'_>) -> Result<(), Error> {
    let directory = plan.directory();
    if existing_major(&plan.layout.data)?.is_none() {
        initialise(plan).await?;
    }
    plan.account.claim(&directory)?;
    // We own the directory and nobody stands in it, so whatever process has this id now, it is not its postmaster.
    remove_if_there(&directory.join("postmaster.pid"))
}

async fn initialise(plan: &Plan<'_>) -> Result<(), Error> {
    let unfinished = plan.layout.data.join(UNFINISHED);
    if unfinished.exists() {
        residents::wait_until_gone(&unfinished).await?;
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
    }
    plan.account.claim(&unfinished)?;
    run_initdb(plan, &unfinished).await?;

    let directory = plan.directory();
    fs::rename(&unfinished, &directory).map_err(Error::io("move the new cluster to", &directory))?;
    let parent = &plan.layout.data;
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(Error::io("sync", parent))
}

async fn run_initdb(plan: &Plan<'_>, directory: &Path) -> Result<(), Error> {
    let mut initdb = plan.program("initdb", directory).arg("-D").arg(plan.account.own_name_of(directory)?).args([
        "--username",
        NAME,
        "--encoding",
        "UTF8",
        "--auth",
        "peer",
        "--no-instructions",
    ]);
    initdb = if plan.programs.major >= FIRST_WITH_BUILTIN_LOCALE {
        initdb.args(["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"])
    } else {
        initdb.args(["--locale", "C"])
    };
    if plan.profile == Profile::ThrowAway {
        initdb = initdb.arg("--no-sync");
    }
    let initdb = plan.supervisor.spawn(initdb).await?;
    let late = |_| Error::NotReady {
        server: Server::Postgres,
        waited: LONGEST_INITDB,
        reason: "initdb has not finished".to_owned(),
    };
    let status = timeout(LONGEST_INITDB, initdb.wait()).await.map_err(late)??;
    if status.success() {
        return Ok(());
    }
    Err(Error::ended(Server::Postgres, &initdb, status, &plan.log_path()))
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}
