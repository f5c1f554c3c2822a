//! The memory of a process with its children: the documents that it takes in are read by them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks. A child lives for some hundredths of a second, a greedy one for longer.
const PAUSE: Duration = Duration::from_millis(20);

/// What a process and its children take together, in MiB; memory that they share counts once.
pub(crate) fn resident(pid: u32) -> f64 {
    let mut parents: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = parent_of(child) {
            parents.entry(parent).or_default().push(child);
        }
    }
    let (mut family, mut total) = (vec![pid], 0.0);
    while let Some(pid) = family.pop() {
        total += proportional(pid).unwrap_or_default();
        family.extend(parents.remove(&pid).into_iter().flatten());
    }
    total
}

/// Looks at a family's memory until it is asked for the most that it saw.
pub(crate) struct Watched {
    done: Arc<AtomicBool>,
    looking: JoinHandle<f64>,
}

impl Watched {
    pub(crate) fn begin(pid: u32) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let is_done = Arc::clone(&done);
        let looking = std::thread::spawn(move || {
            let mut most = 0.0_f64;
            while !is_done.load(Ordering::Relaxed) {
                most = most.max(resident(pid));
                std::thread::sleep(PAUSE);
            }
            most
        });
        Self { done, looking }
    }

    /// The most that it took, in MiB.
    pub(crate) fn peak(self) -> f64 {
        self.done.store(true, Ordering::Relaxed);
        self.looking.join().unwrap_or(f64::NAN)
    }
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which may hold anything, and the state.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(1)?.parse().ok()
}

/// Its share of the memory that it has, in MiB.
fn proportional(pid: u32) -> Option<f64> {
    let said = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = said.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u32 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(f64::from(kibibytes) / 1024.0)
}
