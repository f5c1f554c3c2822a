//! How much memory something takes, measured in a process of its own, where no other test takes any.

use std::process::Command;

/// Runs the ignored test `name` of this program alone, and fails if it does.
pub(crate) fn measure_alone(name: &str) {
    let program = std::env::current_exe().unwrap();
    let run = Command::new(program).args([name, "--exact", "--ignored", "--nocapture"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    println!("{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.contains("1 passed"), "{name} fails, or there is no such test");
}

/// The most memory that was ever resident in this process beyond what `before` says, in bytes.
pub(crate) struct Peak {
    before: usize,
}

impl Peak {
    /// Begins to measure. What was freed before does not count, what is taken from now on does.
    pub(crate) fn since_now() -> Self {
        // Forgets the peak so far (proc_pid_clear_refs(5)).
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self { before: status("VmRSS:") }
    }

    /// The highest level so far, above the level at the beginning.
    pub(crate) fn bytes(&self) -> usize {
        status("VmHWM:").saturating_sub(self.before)
    }
}

/// A line of the kernel's account of this process, which counts in kilobytes.
fn status(line: &str) -> usize {
    let account = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = account.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}
