use actix_web::web::Payload;
use omni_domain::{AgentId, ErrorKind};
use omni_http::{ApiError, Form, FormLimits, FromBody, Json, Upload, Visit};
use omni_turns::{Ask, Attachment};
use omni_wire::ChatRequest;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Required};

const LIMITS: FormLimits = FormLimits { parts: 32, text: 1024 * 1024, file: 10 * 1024 * 1024, total: 25 * 1024 * 1024 };

/// A message to an agent, as a form with files or as JSON.
#[derive(Debug)]
pub(crate) struct ChatBody {
    request: ChatRequest,
    files: Vec<Upload>,
}

impl ChatBody {
    pub(crate) fn into_ask(self, agent: AgentId) -> Ask {
        let attachment = |file: Upload| Attachment {
            filename: file.filename,
            content_type: file.content_type,
            content: file.content,
        };
        Ask {
            agent,
            conversation: self.request.conversation_id,
            afresh: self.request.new_conversation,
            message: self.request.message,
            attachments: self.files.into_iter().map(attachment).collect(),
        }
    }
}

impl FromBody for ChatBody {
    async fn from_body(visit: &Visit, payload: Payload) -> Result<Self, ApiError> {
        if visit.sends_json() {
            let Json(request) = Json::<ChatRequest>::from_body(visit, payload).await?;
            return Ok(Self { request, files: Vec::new() });
        }
        if !visit.sends_form() {
            return Err(ApiError::new(
                ErrorKind::Unsupported,
                "not_a_form",
                "send the message as multipart/form-data or application/json",
            ));
        }
        let mut form = Form::read(visit, payload, LIMITS).await?;
        if let Some(stray) = form.files.iter().find(|file| file.field != "file" && file.field != "files") {
            return Err(ApiError::malformed(format!("{}: files go into the field `files`", stray.field)));
        }
        let conversation_id = form
            .value("conversation_id")
            .map(|id| id.parse().map_err(|_| ApiError::invalid("conversation_id", "must be a number")))
            .transpose()?;
        let new_conversation = match form.value("new_conversation") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(ApiError::invalid("new_conversation", "must be true or false")),
        };
        let message = form.text("message").ok_or_else(|| ApiError::invalid("message", "required"))?.to_owned();
        let request = ChatRequest { message, conversation_id, new_conversation };
        Ok(Self { request, files: std::mem::take(&mut form.files) })
    }

    fn describe(schemas: &mut Vec<(String, RefOr<Schema>)>) -> Option<RequestBody> {
        let json = Json::<ChatRequest>::describe(schemas)?;
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let file = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let form = ObjectBuilder::new()
            .property("message", text())
            .required("message")
            .property("conversation_id", ObjectBuilder::new().schema_type(Type::Integer))
            .property("new_conversation", ObjectBuilder::new().schema_type(Type::Boolean))
            .property("files", ArrayBuilder::new().items(file));
        let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(form.build())))).build();
        let builder = RequestBodyBuilder::new().content("multipart/form-data", content).required(Some(Required::True));
        let mut body = builder.build();
        body.content.extend(json.content);
        Some(body)
    }
}
