//! Callers on another machine: a network namespace, with a cable to this one.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Stdio};

use omni_api::OperatingSystem;
use omni_api_control::Locality;
use omni_domain::Entropy;
use tokio::process::Command;

use crate::bash::{Outcome, ask};
use crate::plane::{Plane, SECRETS, request};

/// Another machine, as far as the network goes. It is gone when this is dropped, or when this process is killed.
struct OtherMachine {
    /// Holds the namespace open for as long as its standard input is.
    keeper: Child,
    /// This machine, as the other one sees it.
    here: Ipv4Addr,
}

impl OtherMachine {
    /// One with a cable to this machine, or why there cannot be one.
    fn plug_in() -> Result<Self, String> {
        let mut keeper = std::process::Command::new("unshare")
            .args(["--net", "sh", "-c", "echo unplugged; read -r _"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`unshare` cannot be started: {error}"))?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // Of the network of benchmarks (RFC 2544), which nobody routes.
        let mut random = [0; 6];
        OperatingSystem.fill(&mut random);
        let [a, b, cable @ ..] = random;
        let [network, here, there, _] = [0, 1, 2, 3].map(|host| Ipv4Addr::new(198, 18, a, (b & 0xfc) | host));
        let machine = Self { keeper, here };
        if line.is_empty() {
            return Err("`unshare --net` is not permitted".to_owned());
        }
        let (cable, other) = (format!("omni{:08x}", u32::from_be_bytes(cable)), machine.keeper.id());
        for command in [
            format!("ip link add {cable} type veth peer name cable netns {other}"),
            format!("ip address add {here}/30 dev {cable}"),
            format!("ip link set {cable} up"),
            format!("nsenter --target {other} --net ip address add {there}/30 dev cable"),
            format!("nsenter --target {other} --net ip link set cable up"),
        ] {
            carry_out(&command).map_err(|error| format!("`{command}` for {network}/30: {error}"))?;
        }
        Ok(machine)
    }

    fn shell(&self) -> Command {
        let mut shell = Command::new("nsenter");
        shell.args(["--target", &self.keeper.id().to_string(), "--net", "bash"]);
        shell
    }

    async fn ask(&self, port: u16, request: &str) -> Outcome {
        ask(self.shell(), self.here.into(), port, request).await
    }
}

impl Drop for OtherMachine {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // One that failed has nothing to wait for.
        let _ = self.keeper.wait();
    }
}

fn carry_out(command: &str) -> Result<(), String> {
    let mut words = command.split(' ');
    let output = std::process::Command::new(words.next().unwrap()).args(words).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Forty ways to say that a request comes from the machine that it is sent to.
fn forgeries() -> Vec<(&'static str, String)> {
    const NAMES: [&str; 5] = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "True-Client-IP"];
    const VALUES: [&str; 8] = [
        "127.0.0.1",
        "::1",
        "localhost",
        "::ffff:127.0.0.1",
        "127.0.0.1:8882",
        "\"[::1]:8882\"",
        "127.0.0.1, 127.0.0.1",
        "127.0.0.1, ::1, localhost",
    ];
    let spelled = |name: &str, value: &str| match name {
        "Forwarded" => value.split(", ").map(|node| format!("for={node}")).collect::<Vec<_>>().join(", "),
        _ => value.to_owned(),
    };
    NAMES.into_iter().flat_map(|name| VALUES.map(|value| (name, spelled(name, value)))).collect()
}

fn forged_requests(port: u16) -> Vec<String> {
    let host = format!("localhost:{port}");
    let forged = |(name, value): &(&str, String)| request(SECRETS, &[("Host", &host), (name, value)], "");
    forgeries().iter().map(forged).collect()
}

/// Row 16: whoever is on another machine gets in by no header, even where the socket could be reached.
#[tokio::test(flavor = "multi_thread")]
async fn another_machine_is_refused_whatever_its_headers_say() {
    let machine = match OtherMachine::plug_in() {
        Ok(machine) => machine,
        Err(reason) => {
            eprintln!("SKIPPED: another machine on the network needs root, `ip`, `unshare` and `nsenter`: {reason}");
            return;
        }
    };
    assert_eq!(forgeries().len(), 40);

    let plane = Plane::start().await;
    for request in forged_requests(plane.port()) {
        assert_eq!(machine.ask(plane.port(), &request).await, Outcome::Refused, "{request}");
    }
    plane.control.stop().await.unwrap();

    let refusal = Outcome::Answered(403, r#"{"error":"Internal endpoint - localhost only"}"#.to_owned());
    for wide in ["0.0.0.0:0", "[::]:0"] {
        let plane = Plane::bound(wide, Locality::default()).await;
        for request in forged_requests(plane.port()) {
            assert_eq!(machine.ask(plane.port(), &request).await, refusal, "{wide}: {request}");
        }
        plane.control.stop().await.unwrap();
    }
}
