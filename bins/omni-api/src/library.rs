use std::sync::Arc;

use omni_blobs::{BlobOptions, Blobs};
use omni_config::Config;
use omni_documents::{Ocr, OcrSettings, PageDrawer, ParseLimits, Parser};
use omni_egress::Egress;
use omni_qdrant::Qdrant;
use omni_supervise::Supervisor;
use secrecy::SecretString;

use crate::{Library, Misconfigured, SystemClock};

/// Opens what reads files and keeps them, as the configuration says.
pub(crate) async fn library(config: &Config, egress: Egress) -> anyhow::Result<Library> {
    let options = BlobOptions { max_bytes: config.max_upload, ..BlobOptions::default() };
    let supervisor = Supervisor::start_with_this_program()?;
    let limits = ParseLimits { file_bytes: config.max_upload, ..ParseLimits::default() };
    Ok(Library {
        blobs: Blobs::open(config.data_dir.blobs(), options, Arc::new(SystemClock)).await?,
        parser: Parser::new(supervisor.clone(), limits)?,
        ocr: ocr(&supervisor).await,
        drawer: PageDrawer::find(&supervisor, &OcrSettings::default()).ok(),
        qdrant: qdrant(config, &egress, config.qdrant_api_key.clone())?,
        egress,
        upload_limit: config.max_upload,
    })
}

/// What reads pictures. Without it everything else goes on, and says what to install where it is missed.
async fn ocr(supervisor: &Supervisor) -> Option<Ocr> {
    match Ocr::find(supervisor, &OcrSettings::default()).await {
        Ok(ocr) => Some(ocr),
        Err(missing) => {
            tracing::info!("text in pictures is not read: {missing}");
            None
        }
    }
}

fn qdrant(config: &Config, egress: &Egress, key: Option<SecretString>) -> anyhow::Result<Option<Qdrant>> {
    let Some(url) = &config.qdrant_url else { return Ok(None) };
    let qdrant = Qdrant::new(egress.clone(), url.as_str(), key);
    Ok(Some(qdrant.map_err(|error| Misconfigured(format!("OMNI_QDRANT_URL: {error}")))?))
}
