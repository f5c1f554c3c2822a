use actix_web::web::Payload;
use omni_http::{Answer, ApiError, ByQuery, Call, Ctx, Endpoint, Example, FromBody, InApp, Method, NoQuery, Visit};
use omni_rbac::Viewer;
use omni_wire::{OcrPage, OcrResponse};
use utoipa::openapi::RefOr;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{Schema, Type};

use crate::WorkspaceApi;
use crate::files::{FileForm, described_form};

/// Reads the text of a picture or a document.
pub(crate) enum Extract {}

/// A form with one file, and the AI service that is to read it.
pub(crate) struct OcrForm(FileForm);

impl FromBody for OcrForm {
    async fn from_body(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        FileForm::from_body(visit, payload).await.map(Self)
    }

    fn describe(_schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        Some(described_form(&[("service_id", Type::Integer)]))
    }
}

impl Endpoint for Extract {
    type Plane = WorkspaceApi;
    type Access = InApp<ByQuery, Viewer>;
    type Path = ();
    type Query = NoQuery;
    type Body = OcrForm;
    type Reply = Answer<OcrResponse>;

    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/internal/ocr/extract";
    const SECTION: &'static str = "OCR";
    const SUMMARY: &'static str = "Extract text from image";
    const DETAILS: &'static str = "What is a picture, and pages of a PDF that are, is read by the model of the AI service that \
        `service_id` names, or without it by what is installed on the server; up to 20 pages at once. The file is not kept.";

    fn example() -> Example {
        Example::file("file", "letter.txt", "# Opening hours\n\nWe are open from nine to five.\n")
    }

    async fn handle(ctx: Ctx<Self>, call: Call<(), NoQuery, OcrForm>) -> Result<Self::Reply, ApiError> {
        let (knowledge, grant) = (&ctx.state.knowledge, &ctx.granted.grant);
        let OcrForm(form) = call.body;
        let form = form.receive(knowledge, knowledge.upload_limit(grant).await?, 1).await?;
        let service = form.service()?;
        let [file] = form.files.as_slice() else {
            return Err(ApiError::invalid("file", "must be one file"));
        };
        let extracted = knowledge.extract_text(grant, file, service).await?;
        let pages: Vec<OcrPage> =
            extracted.pages.into_iter().map(|page| OcrPage { page: page.page, text: page.text }).collect();
        let text = pages.iter().map(|page| page.text.as_str()).collect::<Vec<_>>().join("\n\n");
        Ok(Answer(OcrResponse { text, pages, method: extracted.method.to_owned(), note: extracted.note }))
    }
}
