//! A grant is not copied to be kept for later.

use omni_rbac::{Editor, Grant};

fn keep(grant: &Grant<Editor>) -> Grant<Editor> {
    grant.clone()
}

fn main() {
    let _ = keep;
}
