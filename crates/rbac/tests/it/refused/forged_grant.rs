//! A grant cannot be written down: only an authority makes one.

use std::marker::PhantomData;

use omni_domain::{AppId, Role, UserId};
use omni_rbac::{Grant, Owner};

fn main() {
    let _forged: Grant<Owner> =
        Grant { actor: UserId::new(1), app: AppId::new(1), held: Role::Owner, rank: PhantomData };
}
