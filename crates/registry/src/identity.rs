use std::fmt;

use omni_domain::Invalid;

/// The highest process id that any system gives.
const HIGHEST_PID: i64 = 2_147_483_647;
/// The shortest spawn token: 128 random bits need at least this many characters.
const SHORTEST_TOKEN: usize = 16;
/// The longest spawn token.
const LONGEST_TOKEN: usize = 128;
/// The longest start time.
const LONGEST_START: usize = 64;

/// The id of an operating-system process, from 1. It is no identity by itself: the system gives it again, and every PID
/// namespace has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pid(u32);

/// The random bits that a parent gives one child it spawns. Both register with them, and so meet in one incarnation.
/// Secret: whoever knows it is given the service's id.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SpawnToken(String);

/// When a process began, in whatever form its node counts it, for instance the 22nd field of `/proc/<pid>/stat`. With
/// the pid it tells a process from all others of its node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProcessStart(String);

/// What tells one incarnation of a service from the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: Pid,
    /// The token that its parent gave it.
    pub token: Option<SpawnToken>,
    /// When it began.
    pub started: Option<ProcessStart>,
}

/// How sure it is that two registrations come from one process, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// They hold the same token.
    Token,
    /// They have the same pid and the same start.
    Start,
    /// They have the same pid, and nothing says otherwise.
    Pid,
    /// They are two.
    Different,
}

impl Pid {
    /// Checks a process id.
    ///
    /// # Errors
    /// When it is not from 1 to 2³¹ − 1; the field is `pid`.
    pub fn new(number: i64) -> Result<Self, Invalid> {
        match u32::try_from(number) {
            Ok(pid) if (1..=HIGHEST_PID).contains(&number) => Ok(Self(pid)),
            _ => Err(Invalid::new("pid", format!("must be from 1 to {HIGHEST_PID}"))),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl SpawnToken {
    /// Checks a token.
    ///
    /// # Errors
    /// When it is not 16 to 128 visible characters of ASCII; the field is `metadata.spawnToken`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        visible("metadata.spawnToken", text, SHORTEST_TOKEN, LONGEST_TOKEN).map(Self)
    }

    /// The whole token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProcessStart {
    /// Checks a start time.
    ///
    /// # Errors
    /// When it is not 1 to 64 visible characters of ASCII; the field is `metadata.startTime`.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        visible("metadata.startTime", text, 1, LONGEST_START).map(Self)
    }

    /// The start time.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Process {
    /// How alike two registrations are. Tokens decide where both have one; pids of different namespaces may differ then.
    pub(crate) fn likeness(&self, other: &Self) -> Likeness {
        if let (Some(mine), Some(theirs)) = (&self.token, &other.token) {
            return if mine == theirs { Likeness::Token } else { Likeness::Different };
        }
        if self.pid != other.pid {
            return Likeness::Different;
        }
        match (&self.started, &other.started) {
            (Some(mine), Some(theirs)) if mine == theirs => Likeness::Start,
            (Some(_), Some(_)) => Likeness::Different,
            _ => Likeness::Pid,
        }
    }

    /// The same process, with what a later registration adds.
    pub(crate) fn joined_by(&self, later: Self) -> Self {
        Self {
            pid: later.pid,
            token: later.token.or_else(|| self.token.clone()),
            started: later.started.or_else(|| self.started.clone()),
        }
    }
}

fn visible(field: &'static str, text: &str, shortest: usize, longest: usize) -> Result<String, Invalid> {
    if (shortest..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new(field, format!("must be {shortest} to {longest} visible characters of ASCII")))
}

impl fmt::Debug for SpawnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpawnToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i64, token: Option<&str>, started: Option<&str>) -> Process {
        Process {
            pid: Pid::new(pid).unwrap(),
            token: token.map(|token| SpawnToken::new(token).unwrap()),
            started: started.map(|started| ProcessStart::new(started).unwrap()),
        }
    }

    const ONE: Option<&str> = Some("token-of-the-first-child");
    const TWO: Option<&str> = Some("token-of-the-second-child");

    #[test]
    fn tokens_decide_before_anything_else() {
        assert_eq!(process(7, ONE, Some("1")).likeness(&process(4242, ONE, Some("2"))), Likeness::Token);
        assert_eq!(process(7, ONE, Some("1")).likeness(&process(7, TWO, Some("1"))), Likeness::Different);
    }

    #[test]
    fn without_two_tokens_the_pid_and_the_start_decide() {
        assert_eq!(process(7, ONE, Some("1")).likeness(&process(7, None, Some("1"))), Likeness::Start);
        assert_eq!(process(7, None, Some("1")).likeness(&process(7, None, Some("2"))), Likeness::Different);
        assert_eq!(process(7, ONE, None).likeness(&process(7, None, Some("2"))), Likeness::Pid);
        assert_eq!(process(7, None, None).likeness(&process(8, None, None)), Likeness::Different);
    }

    #[test]
    fn a_later_registration_adds_and_forgets_nothing() {
        let joined = process(4242, ONE, None).joined_by(process(7, None, Some("1")));
        assert_eq!(joined, process(7, ONE, Some("1")));
        assert_eq!(joined.joined_by(process(7, None, None)), process(7, ONE, Some("1")));
    }

    #[test]
    fn refuses_what_no_process_has() {
        assert_eq!((Pid::new(1).unwrap().get(), Pid::new(4_194_304).unwrap().get()), (1, 4_194_304));
        for pid in [0, -1, i64::from(i32::MAX) + 1, i64::MAX] {
            assert_eq!(Pid::new(pid).unwrap_err().field, "pid");
        }
        assert!(SpawnToken::new("too-short").is_err() && SpawnToken::new(&"x".repeat(129)).is_err());
        assert!(ProcessStart::new("").is_err() && ProcessStart::new("two words").is_err());
    }

    #[test]
    fn a_token_is_never_shown() {
        assert!(!format!("{:?}", process(7, ONE, None)).contains("first"));
    }
}
