//! What this process uses of the machine, as `/proc` and `getrusage` tell it.

use std::fs::read_to_string;
use std::io;
use std::path::Path;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// What this process keeps in memory.
    pub used: u64,
    /// What it may have at the most: the machine's, or its control group's where that is less.
    pub total: u64,
}

/// The time that processors have spent on this process since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CpuTime(Duration);

impl Memory {
    /// Measures.
    ///
    /// # Errors
    /// If the system has no `/proc`.
    pub fn measure() -> io::Result<Self> {
        let used = kilobytes(&read_to_string("/proc/self/status")?, "VmRSS:").ok_or_else(|| unreadable("status"))?;
        let machine = kilobytes(&read_to_string("/proc/meminfo")?, "MemTotal:").ok_or_else(|| unreadable("meminfo"))?;
        let total = group_limits().fold(machine, u64::min);
        Ok(Self { used, total })
    }

    /// The part that is used, in percent with one decimal.
    #[must_use]
    pub fn percentage(&self) -> f64 {
        let tenths = self.used.saturating_mul(1_000).checked_div(self.total).unwrap_or(0).min(1_000);
        u32::try_from(tenths).map_or(100.0, |tenths| f64::from(tenths) / 10.0)
    }
}

impl CpuTime {
    /// Measures.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn measure() -> io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        Ok(Self(duration(usage.user_time()) + duration(usage.system_time())))
    }

    /// How busy the process has been since `earlier`, `passed` ago: percent of one processor.
    #[must_use]
    pub fn percent_since(self, earlier: Self, passed: Duration) -> f64 {
        if passed.is_zero() {
            return 0.0;
        }
        100.0 * self.0.saturating_sub(earlier.0).as_secs_f64() / passed.as_secs_f64()
    }
}

/// When this process began: the kernel's boot id, and the ticks since boot. With the pid it tells the process from all
/// that this machine has ever run.
///
/// # Errors
/// If the system has no `/proc`.
pub fn process_start() -> io::Result<String> {
    let boot = read_to_string("/proc/sys/kernel/random/boot_id")?;
    let stat = read_to_string("/proc/self/stat")?;
    let ticks = start_ticks(&stat).ok_or_else(|| unreadable("stat"))?;
    Ok(format!("{}:{ticks}", boot.trim()))
}

/// The 22nd field of `/proc/<pid>/stat`. The second, the program's name, may hold anything, also blanks and brackets.
fn start_ticks(stat: &str) -> Option<&str> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)
}

/// The bytes that a line such as `VmRSS:    1234 kB` tells.
fn kilobytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1_024)
}

/// The limits of the control groups that this process is in, of either version. A group without a limit has none to tell.
fn group_limits() -> impl Iterator<Item = u64> {
    let groups = read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default().to_owned();
    // In a container the group's own path is the root of what can be seen.
    let v2 = Path::new("/sys/fs/cgroup").join(own).join("memory.max");
    let files = [v2, "/sys/fs/cgroup/memory.max".into(), "/sys/fs/cgroup/memory/memory.limit_in_bytes".into()];
    files.into_iter().filter_map(|file| read_to_string(file).ok()?.trim().parse().ok())
}

fn duration(time: TimeVal) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec()).unwrap_or_default());
    seconds + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or_default())
}

fn unreadable(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc: `{file}` is written in another way than expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_some_of_the_machine() {
        let memory = Memory::measure().unwrap();
        assert!(memory.used > 100_000 && memory.used < memory.total, "{memory:?}");
        assert!((0.0..=100.0).contains(&memory.percentage()));
        assert!(CpuTime::measure().unwrap() > CpuTime(Duration::ZERO));
    }

    #[test]
    fn a_process_began_once() {
        let start = process_start().unwrap();
        assert_eq!(start, process_start().unwrap());
        assert!(start.len() <= 64 && start.bytes().all(|byte| byte.is_ascii_graphic()), "{start}");
    }

    #[test]
    fn percentages_are_of_what_there_is() {
        let percentage = |used, total| Memory { used, total }.percentage();
        assert!((percentage(134_217_728, 536_870_912) - 25.0).abs() < f64::EPSILON);
        assert!((percentage(1, 3) - 33.3).abs() < f64::EPSILON);
        assert!(percentage(1, 0).abs() < f64::EPSILON);
        assert!((percentage(u64::MAX, 1) - 100.0).abs() < f64::EPSILON);
        let (earlier, later) = (CpuTime(Duration::from_secs(1)), CpuTime(Duration::from_millis(1_500)));
        assert!((later.percent_since(earlier, Duration::from_secs(2)) - 25.0).abs() < f64::EPSILON);
        assert!(later.percent_since(earlier, Duration::ZERO).abs() < f64::EPSILON);
    }

    #[test]
    fn tables_are_read_whatever_a_program_is_called() {
        assert_eq!(kilobytes("VmPeak:  9 kB\nVmRSS:\t   12 kB\n", "VmRSS:"), Some(12 * 1_024));
        assert_eq!(kilobytes("VmPeak:  9 kB\n", "VmRSS:"), None);
        let stat = "7 (a ) b (c) S 1 7 7 0 -1 4194304 1 0 0 0 1 2 3 4 20 0 1 0 98765 1 2";
        assert_eq!(start_ticks(stat), Some("98765"));
    }
}
