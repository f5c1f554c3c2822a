use std::path::PathBuf;

use clap::Parser;

/// The gateway of Omni: runs the programs that connect chat channels. It is set by environment variables or by a file; see
/// docs/configuration.md.
#[derive(Debug, Clone, Parser)]
#[command(name = "gateway", version, about)]
pub(crate) struct Arguments {
    /// A configuration file; what the environment says counts more.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Says what the configuration comes to, and exits: 0 if it can be started with, else 78.
    #[arg(long)]
    pub(crate) check_config: bool,
}
