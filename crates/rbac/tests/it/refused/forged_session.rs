//! Nor can a proof of who is signed in.

use omni_domain::User;
use omni_rbac::{Session, SessionKey};

fn sign_in(user: User) -> Session {
    Session { user, key: SessionKey::of("secret"), omniadmin: true }
}

fn main() {
    let _ = sign_in;
}
