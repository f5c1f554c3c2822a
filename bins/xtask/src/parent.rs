//! Noticing that a process which is not our child has ended.

use std::time::Duration;

use tokio::time::interval;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// A process that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watched {
    pid: u32,
    birth: String,
}

impl Watched {
    /// `None` if there is no such process.
    pub(crate) fn find(pid: u32) -> Option<Self> {
        Some(Self { pid, birth: birth(pid)? })
    }

    /// Resolves when it has ended.
    pub(crate) async fn ended(&self) {
        let mut pause = interval(PAUSE);
        while birth(self.pid).is_some_and(|birth| birth == self.birth) {
            pause.tick().await;
        }
    }
}

/// When the process began, which tells it from a later one with the same id; `None` once it only waits to be reaped.
#[cfg(target_os = "linux")]
fn birth(pid: u32) -> Option<String> {
    // "1234 (a name, perhaps with parentheses) S 1 …": the state is field 3, the start field 22.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    (fields.next()? != "Z").then(|| fields.nth(18).map(str::to_owned))?
}

/// Here the id has to do.
#[cfg(not(target_os = "linux"))]
fn birth(pid: u32) -> Option<String> {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).ok()?);
    nix::sys::signal::kill(pid, None).is_ok().then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_stranger_is_noticed_before_it_is_reaped() {
        let mut stranger = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let watched = Watched::find(stranger.id()).unwrap();
        assert_eq!(Watched::find(stranger.id()).as_ref(), Some(&watched));
        stranger.kill().unwrap();
        tokio::time::timeout(Duration::from_secs(20), watched.ended()).await.unwrap();
        stranger.wait().unwrap();
        assert_eq!(Watched::find(stranger.id()), None);
    }
}
