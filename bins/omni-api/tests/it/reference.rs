//! What the code generates is what is committed.

use std::path::Path;

use omni_api::write_reference;

const PAGES: [&str; 5] = [
    "docs/reference/openapi/internal.json",
    "docs/reference/openapi/control.json",
    "docs/reference/roles.md",
    "docs/configuration.md",
    "omni.example.toml",
];

#[test]
fn the_generated_pages_are_not_stale() {
    let fresh = tempfile::tempdir().unwrap();
    write_reference(fresh.path()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for page in PAGES {
        let committed = std::fs::read_to_string(root.join(page)).unwrap_or_default();
        let generated = std::fs::read_to_string(fresh.path().join(page)).unwrap();
        assert!(committed == generated, "{page} is stale; run `cargo xtask gen` and commit what it writes");
    }
}
