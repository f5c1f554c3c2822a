use std::time::Duration;

use tokio::time::Instant;

/// How long a screen shows one picture. What comes sooner than that after the last is seen no sooner for being sent alone.
const PICTURE: Duration = Duration::from_millis(16);

/// How many events are taken as they come, after a rest that has gathered nothing.
const AWAKE: u32 = 16;

/// How often a stream is listened to.
///
/// Providers send tokens one by one, many in the time of one picture, and each costs a wake-up, a read and a write. A
/// stream that is faster than the eye is let gather for a picture's time and is then taken together. The first token, and
/// every one after a pause, goes out at once.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the readers were last told something.
    last: Option<Instant>,
    is_fast: bool,
    has_rested: bool,
    awake: u32,
}

impl Pace {
    /// Until when the stream may be left alone.
    pub(crate) fn rests_until(&mut self, now: Instant) -> Option<Instant> {
        let until = self.last? + PICTURE;
        self.has_rested = self.is_fast && self.awake == 0 && now < until;
        self.has_rested.then_some(until)
    }

    /// So many events were told together.
    pub(crate) fn said(&mut self, events: u32, now: Instant) {
        // A rest that has gathered nothing more was a delay; that is not repeated soon.
        self.awake = if self.has_rested && events < 2 { AWAKE } else { self.awake.saturating_sub(events) };
        self.is_fast = self.has_rested || self.last.is_some_and(|last| now.duration_since(last) < PICTURE);
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// When what a stream says at these times is told, in milliseconds, if all that has come is taken together.
    fn told(said: &[u64]) -> Vec<u64> {
        let start = Instant::now();
        let (mut pace, mut now, mut told, mut next) = (Pace::default(), start, Vec::new(), 0);
        while let Some(&at) = said.get(next) {
            now = pace.rests_until(now).unwrap_or(now).max(start + MS * u32::try_from(at).unwrap());
            let come = said[next..].iter().take_while(|at| start + Duration::from_millis(**at) <= now).count();
            pace.said(u32::try_from(come).unwrap(), now);
            told.extend(std::iter::repeat_n(u64::try_from((now - start).as_millis()).unwrap(), come));
            next += come;
        }
        told
    }

    #[test]
    fn what_comes_slowly_is_told_at_once() {
        let said: Vec<u64> = (0..100).map(|n| n * 20).collect();
        assert_eq!(told(&said), said);
    }

    #[test]
    fn what_comes_fast_is_told_once_a_picture() {
        let said: Vec<u64> = (0..160).collect();
        let mut times = told(&said);
        assert!(said.iter().zip(&times).all(|(said, told)| told - said <= 16), "{times:?}");
        times.dedup();
        assert!(times.len() <= 13, "{times:?}");
    }

    #[test]
    fn the_first_word_after_a_pause_is_told_at_once() {
        let said: Vec<u64> = (0..50).chain(500..510).collect();
        let times = told(&said);
        assert_eq!((times[0], times[1], times[50]), (0, 1, 500));
    }

    #[test]
    fn a_stream_that_gathers_nothing_is_hardly_delayed() {
        let start = Instant::now();
        let (mut pace, mut now) = (Pace::default(), start);
        // A connection that hands over one event a time, however long one waits.
        for _ in 0..1000 {
            now = pace.rests_until(now).unwrap_or(now);
            pace.said(1, now);
        }
        assert!(now - start <= PICTURE * 1000 / AWAKE, "{:?}", now - start);
    }
}
