//! What a token of an answer costs the thread that reads it: by this crate, by `genai`, and by `reqwest` alone, which is
//! the least that either can cost. All three read the same answers of a scripted model server in the same run.
//!
//! `cargo run --release -p omni-models --example token_cost`

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::{StreamExt, future};
use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use omni_egress::{Allow, Egress, EgressPolicy};
use omni_models::{ChatMessage, ChatRequest, Deadlines, ModelEvent, ModelTarget, Models, Provider, parse_base_url};
use omni_scripted_model::ScriptedModel;

/// An answer that is there at once shows what parsing costs.
const AT_ONCE: Load = Load { name: "at once", model: "tokens-100000", streams: 1, tokens: 100_000 };
/// Many answers, a token at a time, show what a wake-up costs beside it.
const PACED: Load = Load { name: "paced", model: "tokens-400-5ms", streams: 100, tokens: 400 };

struct Load {
    name: &'static str,
    model: &'static str,
    streams: usize,
    tokens: usize,
}

#[expect(clippy::print_stdout, reason = "this program is there to print its measurements")]
fn main() -> Result<()> {
    let server = start_server()?;
    let base = format!("http://{server}/v1/");
    let egress = Egress::new(EgressPolicy { allow: Allow::parse(&server.to_string())?, ..EgressPolicy::default() })?;
    let models = Models::new(egress.clone(), Deadlines::default());
    let http = egress.client_for(&base.parse()?)?;
    // One thread, so that its processor time is all there is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for load in [AT_ONCE, PACED] {
        let bare = load.cost(&runtime, async |model| bare(&http, &base, model).await)?;
        let ours = load.cost(&runtime, async |model| ours(&models, &base, model).await)?;
        let theirs = load.cost(&runtime, async |model| theirs(http.clone(), &base, model).await)?;
        println!("{:<8} reqwest alone {bare:>9.2?}   omni-models {ours:>9.2?}   genai {theirs:>9.2?}", load.name);
    }
    Ok(())
}

/// A server on a thread of its own.
fn start_server() -> Result<SocketAddr> {
    let (started, addr) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let server = ScriptedModel::start().await?;
            started.send(server.addr())?;
            server.serve().await;
            anyhow::Ok(())
        })
    });
    addr.recv().context("the scripted model server did not start")
}

impl Load {
    /// The thread's processor time per token, if `read` reads the load's answers and counts their tokens.
    fn cost(
        &self,
        runtime: &tokio::runtime::Runtime,
        read: impl AsyncFn(&'static str) -> Result<usize>,
    ) -> Result<Duration> {
        let before = processor_time()?;
        let counts = runtime.block_on(future::try_join_all((0..self.streams).map(|_| read(self.model))))?;
        let spent = processor_time()?.saturating_sub(before);
        let tokens: usize = counts.into_iter().sum();
        anyhow::ensure!(tokens == self.streams * self.tokens, "{tokens} tokens were read");
        Ok(spent / u32::try_from(tokens)?)
    }
}

fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

async fn ours(models: &Models, base: &str, model: &str) -> Result<usize> {
    let base_url = Some(parse_base_url(base)?);
    let target = ModelTarget { base_url, ..ModelTarget::new(Provider::OpenAi, model) };
    let mut stream = models.chat(target)?.stream(ChatRequest::new(vec![ChatMessage::user("hi")])).await?;
    let mut tokens = 0;
    while let Some(event) = stream.next().await {
        tokens += usize::from(matches!(event?, ModelEvent::Token(_)));
    }
    Ok(tokens)
}

async fn theirs(http: reqwest::Client, base: &str, model: &str) -> Result<usize> {
    let client = genai::Client::builder().with_reqwest(http).build()?;
    let target = genai::ServiceTarget {
        endpoint: Endpoint::from_owned(base.to_owned()),
        auth: AuthData::from_single("none"),
        model: genai::ModelIden::new(AdapterKind::OpenAI, model),
    };
    let request = genai::chat::ChatRequest::from_user("hi");
    let mut stream = client.exec_chat_stream(target, request, None).await?.stream;
    let mut tokens = 0;
    while let Some(event) = stream.next().await {
        tokens += usize::from(matches!(event?, genai::chat::ChatStreamEvent::Chunk(_)));
    }
    Ok(tokens)
}

/// Reads the body without looking at it, but for counting tokens, which every frame but four of the answer is.
async fn bare(http: &reqwest::Client, base: &str, model: &str) -> Result<usize> {
    let body = serde_json::json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let response = http.post(format!("{base}chat/completions")).body(body.to_string()).send().await?;
    let mut chunks = response.bytes_stream();
    let mut frames = 0;
    let mut last = 0;
    while let Some(chunk) = chunks.next().await {
        for &byte in &chunk? {
            frames += usize::from(byte == b'\n' && last == b'\n');
            last = byte;
        }
    }
    Ok(frames - 3)
}
