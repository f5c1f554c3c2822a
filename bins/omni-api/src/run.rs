use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context;
use omni_api_control::{Accounts, ControlPlane, Locality};
use omni_api_workspace::Services;
use omni_bus::Bus;
use omni_config::{Config, ControlLocality, Loaded, process_environment};
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_http::TrustedProxies;
use omni_identity::{Mode, SessionLimits};
use omni_models::{Deadlines, Models};
use omni_persistence::{Options, Store};
use omni_process::{StopSignals, begin_log};
use omni_rbac::{Omniadmins, SystemGrant};
use omni_registry::Terms;
use tokio::net::TcpSocket;

use crate::data_plane::Data;
use crate::library::library;
use crate::node::Node;
use crate::sign_in;
use crate::subprocesses::{startup_options, subprocess_config};
use crate::{
    Api, ApiOptions, Arguments, Assembly, Control, Misconfigured, OperatingSystem, Served, SystemClock, assemble,
    master_key,
};

/// How long a request waits for a connection to the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many connections may wait to be accepted. The standard library's 128 overflow when a few hundred clients come at
/// once, and each of those then tries again a second later.
const BACKLOG: u32 = 4_096;
/// How often sessions that are over are removed.
const SWEEP: Duration = Duration::from_secs(600);

/// Says what the configuration comes to.
///
/// # Errors
/// [`Misconfigured`] if it cannot be started with.
pub fn check(arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = load(arguments)?;
    Setup::of(&loaded.config, arguments)?;
    report(&loaded);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
fn report(loaded: &Loaded) {
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    print!("{}", loaded.redacted_report());
}

/// Serves until it is asked to stop.
///
/// # Errors
/// [`Misconfigured`] if the configuration cannot be started with; else whatever ended it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let started = Instant::now();
    let loaded = load(arguments)?;
    let setup = Setup::of(&loaded.config, arguments)?;
    begin_log(&loaded.config.log_level, loaded.config.log_format)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // The requests have threads of their own; this runtime is for what goes on beside them.
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(serve(
        &loaded.config,
        setup,
        started,
    ))
}

fn load(arguments: &Arguments) -> anyhow::Result<Loaded> {
    Config::load(arguments.config.as_deref(), &process_environment())
        .map_err(|error| Misconfigured(error.to_string()).into())
}

/// What can be told of a configuration before anything is started.
struct Setup {
    egress: Egress,
    mode: Mode,
    locality: Locality,
    accept_new_key: bool,
}

impl Setup {
    fn of(config: &Config, arguments: &Arguments) -> anyhow::Result<Self> {
        let allow =
            Allow::parse(&config.egress_allow).map_err(|error| Misconfigured(format!("OMNI_EGRESS_ALLOW: {error}")))?;
        let egress = Egress::new(EgressPolicy { allow, ..EgressPolicy::default() })?;
        let mode = sign_in::mode(&config.auth, &egress)?;
        let locality = locality(config.control_locality)?;
        Ok(Self { egress, mode, locality, accept_new_key: arguments.accept_new_key })
    }
}

fn locality(demands: ControlLocality) -> Result<Locality, Misconfigured> {
    let accounts = demands.peer_uid.then(Accounts::of_this_process).transpose().map_err(|error| {
        Misconfigured(format!(
            "OMNI_CONTROL_LOCALITY: peer_uid needs Linux and its /proc/net/tcp, to tell whose a connection is, and that \
             cannot be read here ({error}); leave peer_uid out"
        ))
    })?;
    Ok(Locality { strict: demands.strict, accounts })
}

/// The sockets of the two APIs, taken before anything is started.
struct Sockets {
    http: TcpListener,
    control: TcpListener,
}

async fn serve(config: &Config, setup: Setup, started: Instant) -> anyhow::Result<()> {
    let sockets = Sockets {
        http: listen("OMNI_HTTP_ADDR", config.http_addr)?,
        control: listen("OMNI_CONTROL_ADDR", config.control_addr)?,
    };
    let mut stop = StopSignals::listen()?;
    let data = Data::start(config).await?;
    let outcome = tokio::select! {
        outcome = serve_data(config, setup, &data, sockets, started, &mut stop) => outcome,
        error = data.lost() => Err(error.context("the data plane ended")),
    };
    data.stop().await?;
    outcome
}

async fn serve_data(
    config: &Config,
    setup: Setup,
    data: &Data,
    sockets: Sockets,
    started: Instant,
    stop: &mut StopSignals,
) -> anyhow::Result<()> {
    let locality = setup.locality.clone();
    let served = services(config, setup, data).await?;
    let options = ApiOptions { workers: workers(), grace: config.shutdown_grace, works: true };
    let plane = control_plane(config, locality, data, served.services.store.clone(), started).await?;
    let control = Control::start(sockets.control, Arc::new(plane))?;
    let api = Api::start(sockets.http, served, &OperatingSystem, options)?;
    tracing::info!(address = %api.address(), control = %control.address(), took = ?started.elapsed(), "ready");
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.next() => break,
            _ = sweep.tick() => sweep_what_is_over(api.services(), config.audit_retention).await,
        }
    }
    tracing::info!("asked to stop");
    tokio::select! {
        stopped = stop_both(api, control) => stopped,
        () = stop.next() => Err(anyhow::anyhow!("asked to stop twice, so what was on its way is left behind")),
    }
}

/// The workspace API first, with its turns: what they end with still has all of this process to work with.
async fn stop_both(api: Api, control: Control) -> anyhow::Result<()> {
    let stopped = api.stop().await;
    control.stop().await.and(stopped)
}

async fn control_plane(
    config: &Config,
    locality: Locality,
    data: &Data,
    store: Store,
    started: Instant,
) -> anyhow::Result<ControlPlane> {
    let node = Node::of(&config.data_dir, &OperatingSystem)?;
    Ok(ControlPlane {
        store,
        locality,
        bus: Bus::connect(&data.nats_url, "omni-api").await?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OperatingSystem),
        started,
        node: node.id,
        terms: Terms::default(),
        subprocess_config: subprocess_config(config, data, node.internal_key)?,
        startup: startup_options(config.channel_startup),
        mass_silence: AtomicBool::new(false),
    })
}

/// Everything between the configuration and the socket.
async fn services(config: &Config, setup: Setup, data: &Data) -> anyhow::Result<Served> {
    let store = Store::new(&Options { url: data.url(), connections: config.database_connections, patience: PATIENCE })?;
    let migration = store.migrate().await.context("the database cannot be brought up to date")?;
    if !migration.applied.is_empty() {
        tracing::info!(applied = ?migration.applied, took = ?migration.took, "migrated");
    }
    let gaps = store.gaps_in_second_wall(&SystemGrant::because("a look at the second wall")).await?;
    if !gaps.is_empty() {
        tracing::warn!(
            tables = gaps.join(", "),
            "row-level security does not hold for the login of DATABASE_URL; give it a role without BYPASSRLS"
        );
    }
    let key = master_key(&store, &config.secret_key_file, setup.accept_new_key, &OperatingSystem).await?;
    let deadlines = Deadlines {
        first_byte: config.model_deadlines.first_byte,
        idle: config.model_deadlines.idle,
        total: config.model_deadlines.total,
    };
    let welcomed = match &setup.mode {
        Mode::Fake { user } => Some(user.clone()),
        Mode::OpenId { .. } => config.omniadmins.first().cloned(),
    };
    let library = library(config, setup.egress.clone()).await.context("files cannot be kept or read")?;
    let served = assemble(Assembly {
        store,
        library,
        models: Models::new(setup.egress, deadlines).with_entropy(Arc::new(OperatingSystem)),
        key,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OperatingSystem),
        omniadmins: Omniadmins::new(config.omniadmins.iter().cloned()),
        mode: setup.mode,
        public_url: config.public_url.clone(),
        limits: SessionLimits { lifetime: config.session_lifetime.try_into()?, idle: config.session_idle.try_into()? },
        proxies: TrustedProxies::new(config.trusted_proxies.clone()),
    })
    .await?;
    let services = &served.services;
    let ended = services
        .identity
        .end_sessions_of_other_modes(&SystemGrant::because("sessions of another way to sign in"))
        .await?;
    if ended > 0 {
        tracing::info!(ended, "ended the sessions that began in another mode of signing in");
    }
    if let Some(email) = welcomed {
        services.workspace.welcome(&SystemGrant::because("the first start of an installation"), &email).await?;
    }
    Ok(served)
}

/// Removes what is only there because nobody has removed it yet: sessions, counts of minutes, old entries of the trail.
async fn sweep_what_is_over(services: &Services, retention: Option<Duration>) {
    let leave = SystemGrant::because("what is over is removed");
    match services.identity.sweep(&leave, retention).await {
        Ok(0) => {}
        Ok(removed) => tracing::debug!(removed, "removed sessions that are over"),
        Err(error) => tracing::warn!(%error, "what is over could not be removed"),
    }
}

fn listen(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bind().map_err(|error| Misconfigured(format!("{setting}: {address} cannot be used: {error}")).into())
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
