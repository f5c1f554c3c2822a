//! A grant gets weaker, never stronger.

use omni_rbac::{Editor, Grant, Viewer};

fn promote(grant: &Grant<Viewer>) -> Grant<Editor> {
    grant.at()
}

fn main() {
    let _ = promote;
}
