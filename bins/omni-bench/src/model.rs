//! The scripted model server, as a process of its own, and the request that reads from it directly.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use omni_supervise::{Child, Output, Signal, Spec};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::bench::Bench;
use crate::client::request;

const LONGEST_START: Duration = Duration::from_secs(10);

pub(crate) struct Model {
    child: Child,
    address: SocketAddr,
    _lines: mpsc::Receiver<String>,
}

impl Model {
    pub(crate) async fn start(bench: &Bench) -> anyhow::Result<Self> {
        let (lines, mut said) = mpsc::channel(16);
        let spec = Spec::new("scripted-model", &bench.programs.model).output(Output::Lines(lines));
        let child = bench.supervisor.spawn(spec).await?;
        let url =
            timeout(LONGEST_START, said.recv()).await.ok().flatten().context("the scripted model says nothing")?;
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse()?;
        Ok(Self { child, address, _lines: said })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an AI service calls it.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The setting that lets omni-api reach it.
    pub(crate) fn allowed(&self) -> (&'static str, String) {
        ("OMNI_EGRESS_ALLOW", self.address.to_string())
    }

    /// The same question as through a chat.
    pub(crate) fn ask(&self, model: &str) -> Vec<u8> {
        let body = json!({ "model": model, "stream": true, "stream_options": { "include_usage": true },
            "messages": [{ "role": "user", "content": "Count, please." }] });
        let headers = "authorization: Bearer bench-key\r\n";
        request("POST", "/v1/chat/completions", self.address, headers, &body.to_string())
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.child.stop(Signal::SIGTERM, Duration::from_secs(1)).await?;
        Ok(())
    }
}
