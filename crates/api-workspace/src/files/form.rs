use actix_web::web::Payload;
use omni_domain::{ErrorKind, FolderId, ServiceId};
use omni_http::{ApiError, FilePart, FormStream, FromBody, Part, Visit};
use omni_knowledge::{Knowledge, Received};
use serde_json::{Map, Value};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Required};

/// The most files of one form.
pub(crate) const MOST_FILES: usize = 32;
/// All files of a form together may be so many times as large as one.
const MOST_TIMES: u64 = 4;

/// A form with files, which are taken as they come: only the handler knows where they go and how large they may be.
pub(crate) struct FileForm(FormStream);

/// A form that has arrived.
#[derive(Debug, Default)]
pub(crate) struct ReceivedForm {
    /// Its files, in the order in which they came.
    pub(crate) files: Vec<Received>,
    folder: Option<String>,
    metadata: Option<String>,
    service: Option<String>,
}

impl FromBody for FileForm {
    async fn from_body(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        FormStream::begin(visit, payload).map(Self)
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        Some(described_form(&[("folder_id", Type::Integer), ("metadata", Type::String)]))
    }
}

impl FileForm {
    /// Takes at most `most` files, each of at most `limit` bytes, and reads the fields beside them. None of the files is
    /// kept: what becomes of them is decided when all of the form is known.
    pub(crate) async fn receive(
        self,
        knowledge: &Knowledge,
        limit: u64,
        most: usize,
    ) -> Result<ReceivedForm, ApiError> {
        let Self(mut form) = self;
        let mut received = ReceivedForm::default();
        let mut left = limit.saturating_mul(MOST_TIMES);
        while let Some(part) = form.next().await? {
            match part {
                Part::File(_) if received.files.len() >= most => {
                    let problem = match most {
                        1 => "file: must be one file".to_owned(),
                        _ => format!("file: a form takes at most {most} files"),
                    };
                    return Err(ApiError::malformed(problem));
                }
                Part::File(file) => received.files.push(take(knowledge, *file, limit, &mut left).await?),
                Part::Text { field, value } => received.note(&field, value)?,
            }
        }
        if received.files.is_empty() {
            return Err(ApiError::invalid("file", "required"));
        }
        Ok(received)
    }
}

async fn take(knowledge: &Knowledge, mut file: FilePart, limit: u64, left: &mut u64) -> Result<Received, ApiError> {
    if file.field != "file" && file.field != "files" {
        return Err(ApiError::malformed(format!("{}: files go into the field `file`", file.field)));
    }
    let mut incoming = knowledge.receive(&file.filename, limit)?;
    while let Some(piece) = file.chunk().await? {
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        *left = left.checked_sub(bytes).ok_or_else(|| {
            let most = limit.saturating_mul(MOST_TIMES);
            let detail = format!("file: the files of a form have at most {most} bytes together; send them one by one");
            ApiError::new(ErrorKind::TooLarge, "form_too_large", detail)
        })?;
        incoming.write(&piece).await?;
    }
    Ok(incoming.finish().await?)
}

impl ReceivedForm {
    fn note(&mut self, field: &str, value: String) -> Result<(), ApiError> {
        let kept = match field {
            "folder_id" => &mut self.folder,
            "metadata" => &mut self.metadata,
            "service_id" => &mut self.service,
            "file" | "files" => return Err(ApiError::malformed(format!("{field}: must be a file, with a filename"))),
            _ => return Ok(()),
        };
        if kept.is_some() {
            return Err(ApiError::malformed(format!("{field}: given more than once")));
        }
        *kept = Some(value);
        Ok(())
    }

    /// The folder that the files go into. Clients of earlier systems write `null` for none.
    pub(crate) fn folder(&self) -> Result<Option<FolderId>, ApiError> {
        number("folder_id", self.folder.as_deref())
    }

    /// What is known of the files.
    pub(crate) fn metadata(&self) -> Result<Map<String, Value>, ApiError> {
        let given = self.metadata.as_deref().map(str::trim).filter(|value| !value.is_empty() && *value != "null");
        let read = given.map(serde_json::from_str).transpose();
        read.map(Option::unwrap_or_default).map_err(|_| ApiError::invalid("metadata", "must be an object, as JSON"))
    }

    /// The AI service that is asked.
    pub(crate) fn service(&self) -> Result<Option<ServiceId>, ApiError> {
        number("service_id", self.service.as_deref())
    }
}

fn number<T: std::str::FromStr>(field: &'static str, value: Option<&str>) -> Result<Option<T>, ApiError> {
    let given = value.map(str::trim).filter(|value| !value.is_empty() && *value != "null");
    given.map(|value| value.parse().map_err(|_| ApiError::invalid(field, "must be a number"))).transpose()
}

/// A form with files and these fields beside them, for the documentation.
pub(crate) fn described_form(fields: &[(&str, Type)]) -> RequestBody {
    let file =
        || ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    let form = ObjectBuilder::new().property("file", file()).property("files", ArrayBuilder::new().items(file()));
    let form = fields
        .iter()
        .fold(form, |form, (name, kind)| form.property(*name, ObjectBuilder::new().schema_type(kind.clone())));
    let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(form.build())))).build();
    RequestBodyBuilder::new().content("multipart/form-data", content).required(Some(Required::True)).build()
}
