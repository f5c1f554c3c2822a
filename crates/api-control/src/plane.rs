use omni_domain::ErrorKind;
use omni_http::{ApiError, Plane, Visit};
use serde_json::{Value, json};

use crate::ControlPlane;
use crate::locality::{NOT_LOCAL, screen};

/// The control plane.
#[derive(Debug)]
pub enum ControlApi {}

impl Plane for ControlApi {
    type State = ControlPlane;

    const NAME: &'static str = "control";
    const TITLE: &'static str = "Omni control plane";

    fn screen(state: &ControlPlane, visit: &Visit) -> Result<(), ApiError> {
        screen(&state.locality, visit)
    }

    fn error_body(error: &ApiError) -> Value {
        match (error.kind(), error.code()) {
            // Strangers get the one sentence that the contract has for them.
            (_, NOT_LOCAL) => json!({ "error": error.detail() }),
            (ErrorKind::Internal, _) => json!({ "error": "Internal error", "code": "INTERNAL_ERROR" }),
            (_, code) => json!({ "error": error.detail(), "code": code.to_ascii_uppercase() }),
        }
    }

    fn error_schema() -> Value {
        json!({
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": { "type": "string", "description": "What is wrong, for people." },
                "code": { "type": "string", "description": "A stable name for programs, in upper case." },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_look_as_the_contract_says() {
        let body = |error: ApiError| ControlApi::error_body(&error);
        let internal = ApiError::internal("a secret cause");
        assert_eq!(body(internal), json!({ "error": "Internal error", "code": "INTERNAL_ERROR" }));
        assert_eq!(body(ApiError::not_found()), json!({ "error": "not found", "code": "NOT_FOUND" }));
        assert_eq!(
            body(ApiError::invalid("pid", "must be a number")),
            json!({ "error": "pid: must be a number", "code": "INVALID" })
        );
    }
}
