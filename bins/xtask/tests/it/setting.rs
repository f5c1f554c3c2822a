//! A workspace with an `omni-api` and a `gateway` that do as little as `xtask` can tell, and ways to watch a command.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Far more than anything here takes, so that only a defect reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Answers its environment at every path, and `/exit` by ending with code 3.
const API: &str = r#"
use std::io::{Read, Write};
fn main() {
    let listen = |name: &str| std::net::TcpListener::bind(std::env::var(name).unwrap()).unwrap();
    let (http, _control) = (listen("OMNI_HTTP_ADDR"), listen("OMNI_CONTROL_ADDR"));
    println!("api pid {}", std::process::id());
    for mut stream in http.incoming().flatten() {
        let mut request = [0; 512];
        let length = stream.read(&mut request).unwrap_or(0);
        if request[..length].starts_with(b"GET /exit") { std::process::exit(3); }
        let mode = std::env::var("OMNI_AUTH_MODE").unwrap_or_default();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{mode}", mode.len());
    }
}
"#;
const GATEWAY: &str = r#"
fn main() {
    println!("gateway pid {} uses {}", std::process::id(), std::env::var("OMNI_API_URL").unwrap());
    std::thread::park();
}
"#;

/// The stand-ins, compiled where the next test finds them.
pub(crate) struct StandIns {
    root: tempfile::TempDir,
    pub(crate) http: SocketAddr,
    pub(crate) control: SocketAddr,
}

impl StandIns {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = ['omni-api', 'gateway']\nresolver = '3'\n")
            .unwrap();
        for (name, source) in [("omni-api", API), ("gateway", GATEWAY)] {
            let package = root.path().join(name);
            fs::create_dir_all(package.join("src")).unwrap();
            let manifest = format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n");
            fs::write(package.join("Cargo.toml"), manifest).unwrap();
            fs::write(package.join("src/main.rs"), source).unwrap();
        }
        Self { root, http: free_address(), control: free_address() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// `cargo xtask <args>` in the workspace, with a database and a bus that somebody gave and nobody asks.
    pub(crate) fn xtask(&self, args: &[&str]) -> Command {
        let mut command = xtask(args);
        command
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", self.path().join("target"))
            .env("OMNI_HTTP_ADDR", self.http.to_string())
            .env("OMNI_CONTROL_ADDR", self.control.to_string())
            .env("DATABASE_URL", "postgresql://nobody@localhost/none")
            .env("NATS_URL", "nats://localhost:1");
        for name in ["OMNI_AUTH_MODE", "OMNI_OIDC_ISSUER", "OMNI_API_URL", "OMNI_DATA_DIR"] {
            command.env_remove(name);
        }
        command
    }
}

/// `cargo xtask <args>`, without cargo in front.
pub(crate) fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args).stdin(Stdio::null());
    command
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A command whose output is read while it runs. It is killed with the test.
pub(crate) struct Running {
    pub(crate) process: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.output.read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads up to the first line that contains `text`.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        let mut before = Vec::new();
        while let Some(line) = self.line() {
            if line.contains(text) {
                return line;
            }
            before.push(line);
        }
        panic!("no line with {text:?} in {before:?}");
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.process.id().try_into().unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// The exit code, once it has ended.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The number after `word` in `line`.
pub(crate) fn number_after(word: &str, line: &str) -> u32 {
    let rest = line.split_once(word).unwrap_or_else(|| panic!("no {word:?} in {line:?}")).1;
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// The body of the answer to `GET path`, or nothing if there is none.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // In one piece: the stand-in answers, and closes, after the first that it reads.
    stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap_or_default();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// Whether a process with this id runs; one that only waits to be reaped does not.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with('Z'))
}

/// Waits until `condition` holds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "still not so: {what}");
        std::thread::yield_now();
    }
}

/// The executable of a running process.
pub(crate) fn executable(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/exe")).unwrap()
}
