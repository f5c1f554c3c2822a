//! Which channels are needed, and what is there to run them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use omni_wire::control::{ChannelStartup, ChannelStartupInfo};

use crate::control_plane::ControlPlane;

/// How often it is asked anew what is needed.
const AGAIN: Duration = Duration::from_secs(10);

/// What is needed, as far as it is known.
#[derive(Debug)]
pub(crate) struct Needs {
    /// The folder that this program is in: the channels' programs are beside it.
    programs: PathBuf,
    is_unmet: AtomicBool,
}

/// A channel that is needed, and whether its program is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Need {
    instances: Vec<String>,
    has_program: bool,
}

type Wanted = BTreeMap<String, Need>;

impl Needs {
    pub(crate) const fn of(programs: PathBuf) -> Self {
        Self { programs, is_unmet: AtomicBool::new(false) }
    }

    /// Whether a channel is needed that does not run.
    pub(crate) fn is_unmet(&self) -> bool {
        self.is_unmet.load(Ordering::Relaxed)
    }

    /// Follows what is needed for as long as it is polled, and says in the log what has changed. While the control plane
    /// is away, what was needed last is needed still.
    pub(crate) async fn follow(&self, first: &ChannelStartupInfo, control: &ControlPlane) -> Infallible {
        let mut known = wanted(first, &self.programs);
        if known.is_empty() {
            tracing::info!("no channel is needed");
        }
        self.note(&Wanted::new(), &known);
        loop {
            tokio::time::sleep(AGAIN).await;
            if let Ok(info) = control.channel_startup_info().await {
                let now = wanted(&info, &self.programs);
                self.note(&known, &now);
                known = now;
            }
        }
    }

    fn note(&self, before: &Wanted, now: &Wanted) {
        for line in changes(before, now) {
            match line {
                Change::Ended(channel) => tracing::info!("channel {channel} is not needed any more"),
                Change::Missing(channel) => tracing::warn!(
                    "channel {channel} is needed, but there is no program channel-{channel} beside the gateway"
                ),
                Change::Unsupported(channel, instances) => tracing::warn!(
                    instances,
                    "channel {channel} is needed and its program is there, but this version of the gateway starts none"
                ),
            }
        }
        self.is_unmet.store(!now.is_empty(), Ordering::Relaxed);
    }
}

/// Something that is otherwise than before.
#[derive(Debug, PartialEq, Eq)]
enum Change<'a> {
    Ended(&'a str),
    Missing(&'a str),
    Unsupported(&'a str, usize),
}

fn changes<'a>(before: &'a Wanted, now: &'a Wanted) -> Vec<Change<'a>> {
    let ended = before.keys().filter(|channel| !now.contains_key(*channel)).map(|channel| Change::Ended(channel));
    let begun = now.iter().filter(|(channel, need)| before.get(*channel) != Some(need)).map(|(channel, need)| {
        if need.has_program { Change::Unsupported(channel, need.instances.len()) } else { Change::Missing(channel) }
    });
    ended.chain(begun).collect()
}

fn wanted(info: &ChannelStartupInfo, programs: &Path) -> Wanted {
    info.channels.iter().filter(|channel| channel.needed).map(|channel| need(channel, programs)).collect()
}

fn need(channel: &ChannelStartup, programs: &Path) -> (String, Need) {
    // A name with a slash is no channel's, and would lead elsewhere.
    let has_program = !channel.name.contains('/') && programs.join(format!("channel-{}", channel.name)).is_file();
    (channel.name.clone(), Need { instances: channel.instances.clone(), has_program })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(instances: &[&str], has_program: bool) -> Need {
        Need { instances: instances.iter().map(ToString::to_string).collect(), has_program }
    }

    #[test]
    fn what_changes_is_said_and_nothing_else() {
        let before: Wanted = [("discord".into(), need(&["a"], false)), ("slack".into(), need(&["s"], true))].into();
        let now: Wanted = [("slack".into(), need(&["s", "t"], true)), ("telegram".into(), need(&["x"], false))].into();
        assert_eq!(
            changes(&before, &now),
            [Change::Ended("discord"), Change::Unsupported("slack", 2), Change::Missing("telegram")]
        );
        assert_eq!(changes(&now, &now), []);
    }

    #[test]
    fn a_program_is_beside_the_gateway_or_nowhere() {
        let channel = |name: &str| ChannelStartup {
            name: name.to_owned(),
            needed: true,
            reason: None,
            instances: vec!["one".to_owned()],
            config: None,
        };
        let here = Path::new("/proc/self");
        assert!(!super::need(&channel("telegram"), here).1.has_program);
        assert!(!super::need(&channel("/../status"), here).1.has_program);
    }
}
