//! How many chunks of 1500 characters the built-in embedding model turns into vectors in a second of one core.
//!
//! `cargo run --release -p omni-models --example local_vectors`

use std::time::Duration;

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use omni_egress::{Egress, EgressPolicy};
use omni_models::{Deadlines, EmbeddingTarget, ModelTarget, Models, Provider, Purpose};

const CHUNKS: u32 = 4_000;
const LENGTH: usize = 1_500;
/// Syllables to make words of, since words that repeat would cost less than those of a real text.
const SYLLABLES: [&str; 16] =
    ["ra", "ber", "sto", "lin", "ge", "ung", "ver", "ta", "con", "mi", "pre", "schaft", "ed", "o", "ing", "quä"];

#[expect(clippy::print_stdout, reason = "this program is there to print its measurement")]
fn main() -> Result<()> {
    let models = Models::new(Egress::new(EgressPolicy::default())?, Deadlines::default());
    let model = models.embedding(EmbeddingTarget::new(ModelTarget::new(Provider::Local, "")))?;
    let chunks: Vec<String> = (0..CHUNKS).map(chunk).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let before = processor_time()?;
    let embeddings = runtime.block_on(model.embed(chunks, Purpose::Document))?;
    let spent = processor_time()?.saturating_sub(before);
    let rate = f64::from(CHUNKS) / spent.as_secs_f64();
    println!("{} vectors in {spent:.2?}: {rate:.0} chunks of {LENGTH} characters a second", embeddings.vectors.len());
    Ok(())
}

/// Of this thread alone: other programs of the machine do not count.
fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// A text of words that hardly repeat, the same in every run.
fn chunk(seed: u32) -> String {
    let mut state = u64::from(seed) + 1;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut text = String::new();
    while text.chars().count() < LENGTH {
        for _ in 0..=draw(4) {
            let syllable = usize::try_from(draw(16)).ok().and_then(|at| SYLLABLES.get(at));
            text.push_str(syllable.copied().unwrap_or_default());
        }
        text.push(' ');
    }
    text.chars().take(LENGTH).collect()
}
