use std::path::Path;

use anyhow::Context;
use omni_http::{document, matrix_markdown};

use crate::api::{public_router, router};
use crate::control;

/// Writes the generated pages into a checkout: what CI compares with what is committed.
///
/// # Errors
/// If a file cannot be written.
pub fn write_reference(root: &Path) -> anyhow::Result<()> {
    let router = router()?;
    let pages = [
        ("docs/reference/openapi/internal.json", document(&router).to_json() + "\n"),
        ("docs/reference/openapi/control.json", document(&*control::router()?).to_json() + "\n"),
        ("docs/reference/openapi/public.json", document(&*public_router()?).to_json() + "\n"),
        ("docs/reference/roles.md", matrix_markdown(&router)),
        ("docs/configuration.md", omni_config::reference_markdown()),
        ("omni.example.toml", omni_config::sample_toml()),
    ];
    for (path, text) in pages {
        let path = root.join(path);
        let folder = path.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
