use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::web::Payload;
use bytes::Bytes;
use futures::StreamExt;
use omni_domain::ErrorKind;
use tokio::time::{Instant, timeout, timeout_at};

use crate::body::refuse_encoded;
use crate::input::refuse_nul;
use crate::multipart::{malformed, too_large};
use crate::{ApiError, Visit};

/// How long a form may be silent.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// The most parts.
const PARTS: usize = 64;
/// The most bytes of a text field.
const TEXT: usize = 64 * 1024;

/// A `multipart/form-data` body that is read part by part, as it comes; for forms whose files may be large. It holds one
/// piece of a file at a time, and whoever takes the pieces says how many are too many.
pub struct FormStream {
    visit: Visit,
    parts: Multipart,
    count: usize,
    until: Instant,
}

/// A part of a form.
pub enum Part {
    /// A text field.
    Text {
        /// Its name.
        field: String,
        /// What it says.
        value: String,
    },
    /// A file, whose content is still to come. It must be read or dropped before the next part is asked for.
    File(Box<FilePart>),
}

/// A file of a form that is on its way.
pub struct FilePart {
    part: Field,
    until: Instant,
    /// The field that it came in.
    pub field: String,
    /// What the client calls it. It is shown, and never used as a path.
    pub filename: String,
}

impl FormStream {
    /// Begins to read a form.
    ///
    /// # Errors
    /// If it is none.
    pub fn begin(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        if !visit.sends_form() {
            return Err(ApiError::new(ErrorKind::Unsupported, "not_a_form", "send the file as multipart/form-data"));
        }
        refuse_encoded(visit)?;
        let parts = Multipart::new(visit.headers(), payload);
        Ok(Self { visit: visit.clone(), parts, count: 0, until: Instant::now() + PATIENCE })
    }

    /// The next part, or none at the end.
    ///
    /// # Errors
    /// If the form breaks off, is too slow, or has more in it than a form may have.
    pub async fn next(&mut self) -> Result<Option<Part>, ApiError> {
        let Some(part) = in_time(self.until, self.parts.next()).await? else { return Ok(None) };
        let mut part = part.map_err(|error| malformed(&error))?;
        self.count += 1;
        if self.count > PARTS {
            return Err(too_large(format!("the form must have at most {PARTS} parts")));
        }
        let field = part.name().unwrap_or_default().to_owned();
        let filename = part.content_disposition().and_then(|disposition| disposition.get_filename());
        if let Some(filename) = filename.map(str::to_owned) {
            refuse_nul(&filename)?;
            return Ok(Some(Part::File(Box::new(FilePart { part, until: self.until, field, filename }))));
        }
        let mut content = self.visit.gather(TEXT);
        while let Some(piece) = in_time(self.until, part.next()).await? {
            let piece = piece.map_err(|error| malformed(&error))?;
            if content.len() + piece.len() > TEXT {
                return Err(too_large(format!("{field}: must have at most {TEXT} bytes")));
            }
            content.add(&piece).await?;
        }
        let value = String::from_utf8(content.finish().into())
            .map_err(|_| ApiError::malformed(format!("{field}: must be UTF-8 text")))?;
        refuse_nul(&value)?;
        Ok(Some(Part::Text { field, value }))
    }
}

impl FilePart {
    /// The next piece, or none at the end.
    ///
    /// # Errors
    /// If the form breaks off or is too slow.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        in_time(self.until, self.part.next()).await?.transpose().map_err(|error| malformed(&error))
    }
}

/// Waits for what comes next, neither too long for it nor for the form as a whole.
async fn in_time<T>(until: Instant, coming: impl Future<Output = T>) -> Result<T, ApiError> {
    let late = |_| ApiError::malformed("the form took too long to arrive");
    timeout_at(until, timeout(PAUSE, coming)).await.map_err(late)?.map_err(late)
}
