mod accept;
mod change_role;
mod decline;
mod invitations;
mod invite;
mod leave;
mod list;
mod remove;

pub(crate) use accept::Accept;
pub(crate) use change_role::ChangeRole;
pub(crate) use decline::Decline;
pub(crate) use invitations::Invitations;
pub(crate) use invite::Invite;
pub(crate) use leave::Leave;
pub(crate) use list::List;
pub(crate) use remove::Remove;

const SECTION: &str = "Collaboration";

/// The contract's base and paths together say `collaboration` twice. Both are served: the path as it is documented, and
/// the one that was meant.
pub(crate) trait Spelling: 'static {
    const COLLABORATION: &'static str;
    const ACCEPT: &'static str;
    const DECLINE: &'static str;
}

/// `/internal/collaboration/collaboration/{collab_id}`.
pub(crate) enum Documented {}

/// `/internal/collaboration/{collab_id}`.
pub(crate) enum Plain {}

impl Spelling for Documented {
    const COLLABORATION: &'static str = "/internal/collaboration/collaboration/{collab_id}";
    const ACCEPT: &'static str = "/internal/collaboration/collaboration/{collab_id}/accept";
    const DECLINE: &'static str = "/internal/collaboration/collaboration/{collab_id}/decline";
}

impl Spelling for Plain {
    const COLLABORATION: &'static str = "/internal/collaboration/{collab_id}";
    const ACCEPT: &'static str = "/internal/collaboration/{collab_id}/accept";
    const DECLINE: &'static str = "/internal/collaboration/{collab_id}/decline";
}
