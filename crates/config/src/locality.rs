use crate::reader::Reader;
use crate::table::CONTROL_LOCALITY;

/// What the control plane asks of its callers besides being on this machine (`OMNI_CONTROL_LOCALITY`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControlLocality {
    /// That no proxy has forwarded the request, not even one on this machine.
    pub strict: bool,
    /// That the caller's account is the one that runs `omni-api`, or root.
    pub peer_uid: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Demand {
    Loopback,
    Strict,
    PeerUid,
}

impl ControlLocality {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let demands = reader.list(&CONTROL_LOCALITY, |word| match word.to_ascii_lowercase().as_str() {
            "loopback" => Some(Demand::Loopback),
            "strict" => Some(Demand::Strict),
            "peer_uid" => Some(Demand::PeerUid),
            _ => None,
        });
        Self { strict: demands.contains(&Demand::Strict), peer_uid: demands.contains(&Demand::PeerUid) }
    }
}
