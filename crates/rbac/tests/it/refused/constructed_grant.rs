//! Nor does it have a constructor that others can call.

use omni_domain::{AppId, Role, UserId};
use omni_rbac::{Grant, Owner};

fn main() {
    let _constructed: Grant<Owner> = Grant::new(UserId::new(1), AppId::new(1), Role::Owner, unreachable!());
}
