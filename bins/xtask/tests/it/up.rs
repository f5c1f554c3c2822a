use std::net::TcpListener;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::setting::{Running, StandIns, eventually, executable, get, number_after, runs};

/// `up` at the point where it has said that everything runs.
struct Up {
    xtask: Running,
    api: u32,
    gateway: u32,
}

impl Up {
    fn start(stand_ins: &StandIns, args: &[&str]) -> Self {
        let mut xtask = Running::start(stand_ins.xtask(args));
        let api = number_after("api pid ", &xtask.line_with("api pid"));
        // The gateway and the announcement come at once, in either order.
        let mut gateway = None;
        let mut announced = false;
        while gateway.is_none() || !announced {
            let line = xtask.line().expect("an announcement and a gateway before the end");
            announced |= line.contains("omni is up, ready in");
            if line.contains("gateway pid") {
                assert!(line.ends_with(&format!("uses http://{}", stand_ins.control)), "{line}");
                gateway = Some(number_after("gateway pid ", &line));
            }
        }
        Self { xtask, api, gateway: gateway.unwrap() }
    }

    fn children_are_gone(&self) -> bool {
        !runs(self.api) && !runs(self.gateway)
    }
}

#[test]
fn everything_runs_and_being_asked_to_stop_stops_it() {
    let stand_ins = StandIns::new();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut up = Up::start(&stand_ins, &["up", "--dev"]);
        assert_eq!(get(stand_ins.http, "/"), "fake", "nothing was set, so everybody may sign in");
        assert!(executable(up.api).ends_with("target/debug/omni-api"), "{}", executable(up.api).display());
        up.xtask.signal(signal);
        assert_eq!(up.xtask.exit_code(), Some(0));
        assert!(up.children_are_gone());
    }
}

#[test]
fn release_is_the_default_and_a_chosen_sign_in_is_kept() {
    let stand_ins = StandIns::new();
    let mut command = stand_ins.xtask(&["up"]);
    command.env("OMNI_AUTH_MODE", "oidc");
    let mut xtask = Running::start(command);
    let api = number_after("api pid ", &xtask.line_with("api pid"));
    assert!(executable(api).ends_with("target/release/omni-api"));
    xtask.line_with("Ctrl-C");
    assert_eq!(get(stand_ins.http, "/"), "oidc");
}

#[test]
fn when_one_child_ends_the_other_is_stopped_and_the_code_passed_on() {
    let stand_ins = StandIns::new();
    let mut up = Up::start(&stand_ins, &["up", "--dev"]);
    get(stand_ins.http, "/exit");
    assert_eq!(up.xtask.exit_code(), Some(3));
    assert!(up.children_are_gone());

    let mut up = Up::start(&stand_ins, &["up", "--dev"]);
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(up.gateway.try_into().unwrap()), Signal::SIGKILL).unwrap();
    assert_eq!(up.xtask.exit_code(), Some(128 + 9));
    assert!(up.children_are_gone());
}

#[test]
#[cfg(target_os = "linux")]
fn killing_it_leaves_no_process() {
    let stand_ins = StandIns::new();
    let mut up = Up::start(&stand_ins, &["up", "--dev"]);
    up.xtask.signal(Signal::SIGKILL);
    assert_eq!(up.xtask.exit_code(), None);
    eventually("both programs are gone", || up.children_are_gone());
}

/// Somebody else's answer must not be taken for ours.
#[test]
fn an_address_in_use_is_named() {
    let stand_ins = StandIns::new();
    let _somebody = TcpListener::bind(stand_ins.control).unwrap();
    let output = stand_ins.xtask(&["up", "--dev"]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("something listens on {} already", stand_ins.control)), "{said}");
}

#[test]
fn a_build_that_fails_starts_nothing_and_says_so_by_its_code() {
    let stand_ins = StandIns::new();
    std::fs::write(stand_ins.path().join("gateway/src/main.rs"), "fn main() { nonsense }").unwrap();
    let output = stand_ins.xtask(&["up", "--dev"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(101), &b""[..]));
}
