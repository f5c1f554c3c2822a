mod dev_login;
mod login;
mod logout;
mod me;

pub(crate) use dev_login::DevLogin;
pub(crate) use login::Login;
pub(crate) use logout::Logout;
pub(crate) use me::{Me, MeInShort};

const SECTION: &str = "Authentication";
