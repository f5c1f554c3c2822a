//! Nobody adds a rank of their own to the ladder.

use omni_domain::Role;
use omni_rbac::Rank;

struct Emperor;

impl Rank for Emperor {
    const ROLE: Role = Role::Omniadmin;
}

fn main() {}
