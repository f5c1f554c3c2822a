use std::fmt;

/// The exit code for words on the command line that mean nothing.
pub const BAD_USAGE: u8 = 64;
/// The exit code for a configuration that cannot be started with.
pub const BAD_CONFIGURATION: u8 = omni_config::ConfigError::EXIT_CODE;

/// The configuration cannot be started with; the text says what to change.
#[derive(Debug)]
pub struct Misconfigured(pub String);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misconfigured {}
