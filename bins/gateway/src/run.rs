use std::path::PathBuf;

use anyhow::Context;
use omni_config::{GatewayConfig, LoadedGateway, process_environment};
use omni_domain::Entropy;
use omni_process::{Misconfigured, OperatingSystem, StopSignals, begin_log};
use omni_wire::control::{ChannelStartupInfo, SubprocessConfig};

use crate::arguments::Arguments;
use crate::control_plane::{ControlPlane, Unanswered};
use crate::membership::{Ending, Membership, SPAWN_TOKEN};
use crate::needs::Needs;
use crate::pace::Backoff;

/// What is left to do when the gateway has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Nothing.
    End,
    /// Beginning anew.
    Restart,
}

/// Says what the configuration comes to.
pub(crate) fn check(arguments: &Arguments) -> anyhow::Result<()> {
    let loaded = load(arguments)?;
    ControlPlane::at(&loaded.config.api_url)?;
    report(&loaded);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
fn report(loaded: &LoadedGateway) {
    for warning in &loaded.warnings {
        println!("warning: {warning}");
    }
    print!("{}", loaded.redacted_report());
}

fn load(arguments: &Arguments) -> anyhow::Result<LoadedGateway> {
    GatewayConfig::load(arguments.config.as_deref(), &process_environment())
        .map_err(|error| Misconfigured(error.to_string()).into())
}

/// Runs until there is a reason to end.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<After> {
    let loaded = load(arguments)?;
    let control = ControlPlane::at(&loaded.config.api_url)?;
    begin_log(&loaded.config.log_level, loaded.config.log_format)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(&control))
}

async fn serve(control: &ControlPlane) -> anyhow::Result<After> {
    let mut stop = StopSignals::listen()?;
    let needs = Needs::of(programs()?);
    let mut membership = Membership::new(control, &needs, &OperatingSystem, spawn_token());
    tracing::info!(control_plane = %control.root(), pid = std::process::id(), "started");
    let ending = tokio::select! {
        () = stop.next() => None,
        ending = work(control, &needs, &mut membership) => Some(ending),
    };
    let (reason, after) = match ending {
        None => ("asked to stop", After::End),
        Some(Ending::Shutdown) => ("told to shut down", After::End),
        Some(Ending::Restart) => ("told to restart", After::Restart),
        Some(Ending::Superseded) => ("another gateway has taken this one's place", After::End),
        Some(Ending::Gone) => ("deregistered by whoever started it", After::End),
    };
    tracing::info!("ending: {reason}");
    membership.end(reason).await;
    Ok(after)
}

async fn work(control: &ControlPlane, needs: &Needs, membership: &mut Membership<'_>) -> Ending {
    let (config, info) = learn(control, &OperatingSystem).await;
    tracing::info!(
        data = config.paths.data_dir,
        level = config.logging.level,
        features = %config.features,
        "the control plane answers"
    );
    tokio::select! {
        ending = membership.hold() => ending,
        never = needs.follow(&info, control) => match never {},
    }
}

/// Waits for the control plane, however long that takes, and learns what there is to know.
async fn learn(control: &ControlPlane, entropy: &dyn Entropy) -> (SubprocessConfig, ChannelStartupInfo) {
    let mut backoff = Backoff::default();
    loop {
        match ask(control).await {
            Ok(known) => return known,
            // Said in the log where it was noticed.
            Err(_) => tokio::time::sleep(backoff.next(entropy)).await,
        }
    }
}

async fn ask(control: &ControlPlane) -> Result<(SubprocessConfig, ChannelStartupInfo), Unanswered> {
    Ok((control.subprocess_config().await?, control.channel_startup_info().await?))
}

/// The folder that this program is in.
fn programs() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("the system does not say where this program is")?;
    Ok(program.parent().map(PathBuf::from).unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "who started this process says so to it alone; it is not a setting")]
fn spawn_token() -> Option<String> {
    std::env::var(SPAWN_TOKEN).ok().filter(|token| !token.is_empty())
}
