//! A rule that asks who is calling, in an API that signs nobody in.

use omni_http::{AccessRule, ApiError, Plane, SignedIn, Visit};
use serde_json::Value;

enum Open {}

impl Plane for Open {
    type State = ();

    const NAME: &'static str = "open";
    const TITLE: &'static str = "An open API";

    fn screen(_state: &(), _visit: &Visit) -> Result<(), ApiError> {
        Ok(())
    }

    fn error_body(_error: &ApiError) -> Value {
        Value::Null
    }

    fn error_schema() -> Value {
        Value::Null
    }
}

fn rule_of<P: Plane, R: AccessRule<P>>() {}

fn main() {
    rule_of::<Open, SignedIn>();
}
