//! A scripted model server of its own: prints its address and runs until it is stopped.

use std::net::SocketAddr;

use clap::Parser;
use omni_scripted_model::ScriptedModel;

/// A model server that answers by the model's name, for tests and benchmarks.
#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// One thread: the server has to leave the machine to what it measures.
#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "whoever started the program reads the address from its standard output")]
async fn main() -> anyhow::Result<()> {
    let server = ScriptedModel::start_on(Arguments::parse().listen).await?;
    println!("{}", server.base_url());
    server.serve().await;
    Ok(())
}
