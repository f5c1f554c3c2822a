use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::web::Payload;
use bytes::Bytes;
use futures::StreamExt;
use omni_domain::ErrorKind;

use crate::body::refuse_encoded;
use crate::input::refuse_nul;
use crate::intake::Gathered;
use crate::{ApiError, Visit};

/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much a form may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// The most parts.
    pub parts: usize,
    /// The most bytes of a text field.
    pub text: usize,
    /// The most bytes of one file.
    pub file: usize,
    /// The most bytes of everything together.
    pub total: usize,
}

/// A `multipart/form-data` body that was read into memory; for forms whose files are small by their nature.
#[derive(Debug, Clone, Default)]
pub struct Form {
    texts: Vec<(String, String)>,
    /// The files, in the order they came.
    pub files: Vec<Upload>,
}

/// A file of a form.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The field that it came in.
    pub field: String,
    /// What the client calls it. It is shown, and never used as a path.
    pub filename: String,
    /// What the client says it is.
    pub content_type: Option<String>,
    /// What is in it.
    pub content: Bytes,
}

impl Form {
    /// Reads the form.
    ///
    /// # Errors
    /// If it is no form, or carries more than `limits` allow.
    pub async fn read(visit: &Visit, payload: Payload, limits: FormLimits) -> Result<Self, ApiError> {
        tokio::time::timeout(PATIENCE, Self::read_parts(visit, payload, limits))
            .await
            .map_err(|_| ApiError::malformed("the form took too long to arrive"))?
    }

    async fn read_parts(visit: &Visit, payload: Payload, limits: FormLimits) -> Result<Self, ApiError> {
        refuse_encoded(visit)?;
        let mut parts = Multipart::new(visit.headers(), payload);
        let mut form = Self::default();
        let (mut count, mut total) = (0, 0);
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|error| malformed(&error))?;
            count += 1;
            if count > limits.parts {
                return Err(too_large(format!("the form must have at most {} parts", limits.parts)));
            }
            let field = part.name().unwrap_or_default().to_owned();
            let filename = part.content_disposition().and_then(|disposition| disposition.get_filename());
            let filename = filename.map(str::to_owned);
            let most = if filename.is_some() { limits.file } else { limits.text };
            let content = visit.gather(most);
            let content = read_part(&mut part, &field, content, most, limits.total - total).await?;
            total += content.len();
            form.keep(field, filename, part.content_type().map(ToString::to_string), content)?;
        }
        Ok(form)
    }

    fn keep(
        &mut self,
        field: String,
        filename: Option<String>,
        content_type: Option<String>,
        content: Bytes,
    ) -> Result<(), ApiError> {
        if let Some(filename) = filename {
            refuse_nul(&filename)?;
            self.files.push(Upload { field, filename, content_type, content });
            return Ok(());
        }
        let text =
            std::str::from_utf8(&content).map_err(|_| ApiError::malformed(format!("{field}: must be UTF-8 text")))?;
        refuse_nul(text)?;
        if self.texts.iter().any(|(known, _)| *known == field) {
            return Err(ApiError::malformed(format!("{field}: given more than once")));
        }
        self.texts.push((field, text.to_owned()));
        Ok(())
    }

    /// A text field; an empty one counts as left out.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|(known, _)| known == field)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A field that holds no words but a number or the like: there, the word `null` counts as left out too.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        self.text(field).filter(|value| *value != "null")
    }
}

async fn read_part(
    part: &mut Field,
    field: &str,
    mut content: Gathered<'_>,
    most: usize,
    left: usize,
) -> Result<Bytes, ApiError> {
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(|error| malformed(&error))?;
        if content.len() + chunk.len() > most {
            return Err(too_large(format!("{field}: must have at most {most} bytes")));
        }
        if content.len() + chunk.len() > left {
            return Err(too_large("the form is too large as a whole".to_owned()));
        }
        content.add(&chunk).await?;
    }
    Ok(content.finish())
}

pub(crate) fn malformed(error: &actix_multipart::MultipartError) -> ApiError {
    ApiError::malformed(format!("the form cannot be read: {error}"))
}

pub(crate) fn too_large(detail: String) -> ApiError {
    ApiError::new(ErrorKind::TooLarge, "body_too_large", detail)
}
