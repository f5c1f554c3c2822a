//! A viewer's grant does not do what takes an editor's.

use omni_rbac::{Editor, Grant, Viewer};

fn rename_agent(_grant: &Grant<Editor>) {}

fn handler(grant: &Grant<Viewer>) {
    rename_agent(grant);
}

fn main() {
    let _ = handler;
}
