//! What the owner tells the launcher, written as command-line words.

use std::ffi::OsString;
use std::str::FromStr;

use crate::{Identity, Limits, Signal, Spec};

/// The first argument that turns one of our programs into the launcher. Nobody types it.
pub(crate) const MARKER: &str = "__supervised-launch";

/// Ends the launcher's own words; the program follows.
const END: &str = "--";

/// Everything a fresh process does to itself before it becomes the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The process that must still be the parent once the death signal is armed.
    pub(crate) owner: i32,
    pub(crate) death_signal: Signal,
    pub(crate) identity: Option<Identity>,
    pub(crate) limits: Limits,
    pub(crate) background: bool,
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
}

impl Order {
    pub(crate) fn new(spec: &Spec, owner: i32) -> Self {
        Self {
            owner,
            death_signal: spec.death_signal,
            identity: spec.identity,
            limits: spec.limits,
            background: spec.background,
            program: spec.program.clone().into_os_string(),
            args: spec.args.clone(),
        }
    }

    /// The launcher's arguments, the marker included.
    pub(crate) fn encode(&self) -> Vec<OsString> {
        let Limits { address_space, cpu_seconds, file_size, open_files } = self.limits;
        let limits = [
            ("address-space", address_space),
            ("cpu-seconds", cpu_seconds),
            ("file-size", file_size),
            ("open-files", open_files),
        ];
        let mut words = vec![
            MARKER.to_owned(),
            format!("owner={}", self.owner),
            format!("death-signal={}", self.death_signal.as_str()),
        ];
        words.extend(self.identity.map(|Identity { uid, gid }| format!("identity={uid}:{gid}")));
        words.extend(limits.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))));
        words.extend(self.background.then(|| "background=1".to_owned()));
        words.push(END.to_owned());

        let mut words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        words.push(self.program.clone());
        words.extend(self.args.iter().cloned());
        words
    }

    /// Reads the arguments after the marker.
    pub(crate) fn decode(words: impl IntoIterator<Item = OsString>) -> Result<Self, Malformed> {
        let mut words = words.into_iter();
        let mut owner = None;
        let mut death_signal = None;
        let mut identity = None;
        let mut limits = Limits::default();
        let mut background = false;
        for word in words.by_ref() {
            let word = word.into_string().map_err(|_| Malformed("a word that is not text"))?;
            if word == END {
                break;
            }
            let (name, value) = word.split_once('=').ok_or(Malformed("a word without a value"))?;
            match name {
                "owner" => owner = Some(number(value)?),
                "death-signal" => {
                    death_signal = Some(Signal::from_str(value).map_err(|_| Malformed("an unknown signal"))?);
                }
                "identity" => {
                    let (uid, gid) = value.split_once(':').ok_or(Malformed("an identity without a group"))?;
                    identity = Some(Identity { uid: number(uid)?, gid: number(gid)? });
                }
                "address-space" => limits.address_space = Some(number(value)?),
                "cpu-seconds" => limits.cpu_seconds = Some(number(value)?),
                "file-size" => limits.file_size = Some(number(value)?),
                "background" => background = value == "1",
                "open-files" => limits.open_files = Some(number(value)?),
                _ => return Err(Malformed("an unknown word")),
            }
        }
        Ok(Self {
            owner: owner.ok_or(Malformed("no owner"))?,
            death_signal: death_signal.ok_or(Malformed("no death signal"))?,
            identity,
            limits,
            background,
            program: words.next().ok_or(Malformed("no program"))?,
            args: words.collect(),
        })
    }
}

/// The launcher was called by something that is not a [`crate::Supervisor`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed launch order: {0}")]
pub(crate) struct Malformed(&'static str);

fn number<N: FromStr>(text: &str) -> Result<N, Malformed> {
    text.parse().map_err(|_| Malformed("a number that is none"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use proptest::prelude::*;

    use super::*;

    fn any_text() -> impl Strategy<Value = OsString> {
        prop::collection::vec(1u8.., 0..12).prop_map(OsString::from_vec)
    }

    proptest! {
        #[test]
        fn an_order_survives_the_command_line(
            owner in 1i32..,
            death in prop::sample::select(vec![Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL]),
            identity in prop::option::of((any::<u32>(), any::<u32>())),
            limits in any::<[Option<u64>; 4]>(),
            background in any::<bool>(),
            program in any_text(),
            args in prop::collection::vec(any_text(), 0..4),
        ) {
            let [address_space, cpu_seconds, file_size, open_files] = limits;
            let order = Order {
                owner,
                death_signal: death,
                identity: identity.map(|(uid, gid)| Identity { uid, gid }),
                limits: Limits { address_space, cpu_seconds, file_size, open_files },
                background,
                program,
                args,
            };
            let mut words = order.encode().into_iter();
            prop_assert_eq!(words.next(), Some(OsString::from(MARKER)));
            prop_assert_eq!(Order::decode(words), Ok(order));
        }
    }

    #[test]
    fn what_a_person_might_type_is_refused() {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(Order::decode(words("")), Err(Malformed("no owner")));
        assert_eq!(Order::decode(words("owner=1 -- /bin/true")), Err(Malformed("no death signal")));
        assert_eq!(Order::decode(words("owner=1 death-signal=SIGTERM --")), Err(Malformed("no program")));
        assert_eq!(Order::decode(words("owner=x")), Err(Malformed("a number that is none")));
        assert_eq!(Order::decode(words("colour=red")), Err(Malformed("an unknown word")));
    }
}
