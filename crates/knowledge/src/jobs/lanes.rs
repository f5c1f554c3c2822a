use omni_domain::Work;
use tokio::sync::Notify;

/// Workers of a process that take up jobs of one kind only. A crawl mostly waits, for it is polite to the site; were it among
/// the files, a few of them would keep every upload waiting for hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) kind: &'static str,
    /// How many jobs of the kind are worked on at a time.
    pub(super) workers: usize,
    /// Its place among the lanes.
    place: usize,
}

pub(super) const LANES: [Lane; 3] = [
    Lane { kind: Work::INGEST, workers: 2, place: 0 },
    Lane { kind: Work::CRAWL, workers: 4, place: 1 },
    Lane { kind: Work::EMBED, workers: 1, place: 2 },
];

/// What wakes a worker of each lane.
#[derive(Debug, Default)]
pub(crate) struct Bells([Notify; LANES.len()]);

impl Bells {
    /// Wakes a worker of every lane; those that find nothing to do rest again.
    pub(super) fn ring(&self) {
        self.0.iter().for_each(Notify::notify_one);
    }

    /// Resolves when somebody has rung.
    pub(super) async fn rung(&self, lane: Lane) {
        match self.0.get(lane.place) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }
}
