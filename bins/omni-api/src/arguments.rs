use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The workspace and control APIs of Omni. Everything is set by environment variables or by a file; see
/// docs/configuration.md.
#[derive(Debug, Clone, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// A configuration file; what the environment says counts more.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Says what the configuration comes to, and exits: 0 if it can be started with, else 78.
    #[arg(long)]
    pub check_config: bool,
    /// Goes on with another master key than the one that the secrets in the database were sealed with: what that one has
    /// sealed has to be entered again. For one start, after the key was lost.
    #[arg(long)]
    pub accept_new_key: bool,
    /// What else this program does.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What this program does besides serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Writes the generated pages of the reference: OpenAPI documents, role matrix, settings.
    #[command(hide = true)]
    Reference {
        /// The repository's root.
        folder: PathBuf,
    },
}
