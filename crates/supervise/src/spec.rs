use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Output, Signal};

/// What to run, as whom, and what happens to its output.
///
/// The environment is empty and standard input is `/dev/null` unless said otherwise.
#[derive(Clone)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) inherit_env: bool,
    /// A variable without a value is one that is not inherited.
    pub(crate) env: BTreeMap<OsString, Option<OsString>>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) input: Option<Arc<File>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) death_signal: Signal,
    pub(crate) limits: Limits,
    pub(crate) background: bool,
    pub(crate) output: Output,
}

/// The numeric user and group that a child runs as. Supplementary groups are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Ceilings that the kernel enforces on a child, as hard limits; `None` leaves what the owner has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space (`RLIMIT_AS`).
    pub address_space: Option<u64>,
    /// Seconds of processor time (`RLIMIT_CPU`).
    pub cpu_seconds: Option<u64>,
    /// Bytes of the largest file it may write (`RLIMIT_FSIZE`).
    pub file_size: Option<u64>,
    /// Open file descriptors (`RLIMIT_NOFILE`).
    pub open_files: Option<u64>,
}

impl Spec {
    /// `name` is what logs call the child. `program` is a path, or a bare name that is looked up in the child's `PATH`.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            inherit_env: false,
            env: BTreeMap::new(),
            cwd: None,
            input: None,
            identity: None,
            death_signal: Signal::SIGKILL,
            limits: Limits::default(),
            background: false,
            output: Output::Trace,
        }
    }

    /// Appends one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets one variable of the child's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Starts from the owner's environment instead of from an empty one.
    #[must_use]
    pub fn inherit_env(mut self) -> Self {
        self.inherit_env = true;
        self
    }

    /// Leaves one variable of the owner's environment out.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// The working directory. It is entered *before* the identity changes, so the child may stand in a directory whose
    /// parents it could not pass itself.
    #[must_use]
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// An open file as standard input, read from where it stands. The child needs no right to open it, nor to know its
    /// name.
    #[must_use]
    pub fn input(mut self, file: File) -> Self {
        self.input = Some(Arc::new(file));
        self
    }

    /// Runs the child as somebody else; needs root. `None` leaves it as it is.
    #[must_use]
    pub fn identity(mut self, identity: impl Into<Option<Identity>>) -> Self {
        self.identity = identity.into();
        self
    }

    /// What the child gets when its owner dies, and when its handle is dropped without a stop. `SIGKILL` unless set.
    ///
    /// It may come more than once: an owner dies thread by thread, and the kernel sends the signal for each thread that
    /// the child is handed to on the way. So the child must not take the second one for impatience.
    #[must_use]
    pub fn death_signal(mut self, signal: Signal) -> Self {
        self.death_signal = signal;
        self
    }

    /// Ceilings for the child.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets the child step back behind others that want a processor: it gets about a tenth of what they do. For work that
    /// nobody waits for.
    #[must_use]
    pub fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Where standard output and standard error go. To the log, line by line, unless set.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        self
    }
}

/// Values of the environment are left out: they are where children find their secrets.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("name", &self.name)
            .field("program", &self.program)
            .field("args", &self.args)
            .field("inherit_env", &self.inherit_env)
            .field("env", &self.env.keys())
            .field("cwd", &self.cwd)
            .field("input", &self.input)
            .field("identity", &self.identity)
            .field("death_signal", &self.death_signal)
            .field("limits", &self.limits)
            .field("background", &self.background)
            .field("output", &self.output)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_variables_but_never_their_values() {
        let shown = format!("{:?}", Spec::new("channel", "/bin/true").env("INTERNAL_API_KEY", "hunter2"));
        assert!(shown.contains("INTERNAL_API_KEY"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
