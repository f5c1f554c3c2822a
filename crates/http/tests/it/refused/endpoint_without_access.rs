//! An endpoint that does not say who may call it.

use omni_http::{Answer, ApiError, Call, Ctx, Endpoint, Example, Method, NoBody, NoQuery, Plane, Visit};
use serde_json::Value;

enum Api {}

impl Plane for Api {
    type State = ();

    const NAME: &'static str = "api";
    const TITLE: &'static str = "An API";

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

enum Secrets {}

impl Endpoint for Secrets {
    type Plane = Api;
    type Path = ();
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = Answer<String>;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/secrets";
    const SECTION: &'static str = "Secrets";
    const SUMMARY: &'static str = "All of them";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(_ctx: Ctx<Self>, _call: Call<(), NoQuery, NoBody>) -> Result<Answer<String>, ApiError> {
        Ok(Answer("swordfish".to_owned()))
    }
}

fn main() {}
