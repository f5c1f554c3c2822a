mod callback;
mod dev_login;
mod end_session;
mod login;
mod logout;
mod me;
mod sessions;

pub(crate) use callback::Callback;
pub(crate) use dev_login::DevLogin;
pub(crate) use end_session::EndSession;
pub(crate) use login::Login;
pub(crate) use logout::Logout;
pub(crate) use me::{Me, MeInShort};
pub(crate) use sessions::Sessions;

const SECTION: &str = "Authentication";
