//! `omni-api` in a process of its own, as it ships.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use omni_testkit::{Client, PATIENCE};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The program with these settings and no others.
pub(crate) fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omni-api"));
    command.env_clear().envs(settings.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// How a program ended that was not to start: its exit code, and all that it said.
pub(crate) async fn ended(mut command: Command) -> (Option<i32>, String) {
    let output = timeout(PATIENCE, command.output()).await.expect("it ends by itself").unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.code(), said.concat())
}

/// One that runs. It is killed when this is dropped.
pub(crate) struct Program {
    process: Child,
    http: String,
    control: String,
    said: Arc<Mutex<String>>,
    readers: JoinSet<()>,
}

impl Program {
    /// Starts one on free ports, with these settings besides, and waits until it is ready.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        const EVERYWHERE: [(&str, &str); 4] = [
            ("OMNI_HTTP_ADDR", "127.0.0.1:0"),
            ("OMNI_CONTROL_ADDR", "127.0.0.1:0"),
            ("OMNI_SHUTDOWN_GRACE", "1"),
            ("LOG_FORMAT", "json"),
        ];
        let settings = [&EVERYWHERE, settings].concat();
        let mut process = command(&settings).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (said, mut readers) = (Arc::default(), JoinSet::new());
        let (lines, mut heard) = mpsc::channel(1);
        readers.spawn(read(process.stdout.take().unwrap(), Arc::clone(&said), lines.clone()));
        readers.spawn(read(process.stderr.take().unwrap(), Arc::clone(&said), lines));
        let ready = timeout(PATIENCE, heard.recv()).await.ok().flatten();
        let ready = ready.unwrap_or_else(|| panic!("it does not start: {}", said.lock().unwrap()));
        let place = |name: &str| format!("http://{}", ready[name].as_str().unwrap());
        Self { http: place("address"), control: place("control"), process, said, readers }
    }

    /// Where the workspace API is.
    pub(crate) fn http(&self) -> &str {
        &self.http
    }

    /// Somebody whom the workspace API does not know.
    pub(crate) fn stranger(&self) -> Client {
        Client::anonymous(self.http.clone())
    }

    /// A program of this machine, at the control plane.
    pub(crate) fn neighbour(&self) -> Client {
        Client::anonymous(self.control.clone()).with_cookie(None)
    }

    /// Asks it to stop, waits until it has, and answers everything that it said in its life.
    pub(crate) async fn stop(mut self) -> String {
        let pid = self.process.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
        let status = timeout(PATIENCE, self.process.wait()).await.expect("it stops when asked to").unwrap();
        assert!(status.success(), "{status}");
        while self.readers.join_next().await.is_some() {}
        std::mem::take(&mut *self.said.lock().unwrap())
    }
}

/// Keeps what a program says, and passes on the line with which it says that it is ready.
async fn read(output: impl AsyncRead + Unpin, said: Arc<Mutex<String>>, ready: mpsc::Sender<Value>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["message"] == "ready" {
            // Whoever waited may have been cancelled meanwhile.
            let _ = ready.try_send(event);
        }
        let mut said = said.lock().unwrap();
        said.push_str(&line);
        said.push('\n');
    }
}
