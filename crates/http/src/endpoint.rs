use std::future::Future;
use std::sync::Arc;

use crate::{AccessRule, ApiError, FromBody, FromPath, FromQuery, Plane, Reply, Visit};

/// The methods that endpoints are called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or does.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether the method promises to change nothing.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get)
    }
}

/// One thing that can be asked of an API.
pub trait Endpoint: Sized + 'static {
    /// The API that it is part of.
    type Plane: Plane;
    /// Who may call it. There is no default: an endpoint for everybody says [`Public`](crate::Public).
    type Access: AccessRule<Self::Plane>;
    /// What it reads from the path.
    type Path: FromPath;
    /// What it reads from the query string.
    type Query: FromQuery;
    /// What it reads from the body.
    type Body: FromBody;
    /// What it answers.
    type Reply: Reply;

    /// The method that it is called with.
    const METHOD: Method;
    /// The path, without a trailing slash, with parameters in braces.
    const PATH: &'static str;
    /// The section of the documentation that it stands in.
    const SECTION: &'static str;
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// What there is to say beyond that.
    const DETAILS: &'static str = "";

    /// A call that makes sense, for the documentation and for the tests that try every route.
    fn example() -> Example;

    /// Does it.
    fn handle(
        ctx: Ctx<Self>,
        call: Call<Self::Path, Self::Query, Self::Body>,
    ) -> impl Future<Output = Result<Self::Reply, ApiError>>;
}

/// What a handler is given besides what the caller sent.
pub struct Ctx<E: Endpoint> {
    /// What the API's endpoints work with.
    pub state: Arc<<E::Plane as Plane>::State>,
    /// The proof that the caller may: what the endpoint's access rule granted.
    pub granted: <E::Access as AccessRule<E::Plane>>::Granted,
    /// The request around the call.
    pub visit: Visit,
}

/// What the caller sent, read and checked for form.
#[derive(Debug)]
pub struct Call<Path, Query, Body> {
    /// From the path.
    pub path: Path,
    /// From the query string.
    pub query: Query,
    /// From the body.
    pub body: Body,
}

/// A call that makes sense. Path parameters are not part of it: they are ids, which only a real database has.
#[derive(Debug, Clone, Default)]
pub struct Example {
    /// The query string's parameters.
    pub query: Vec<(&'static str, &'static str)>,
    /// The JSON body.
    pub body: Option<serde_json::Value>,
    /// The files of a form.
    pub files: Vec<ExampleFile>,
    /// What the answer looks like.
    pub reply: Option<serde_json::Value>,
}

/// A file of an example's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExampleFile {
    /// The field that it is in.
    pub field: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What is in it.
    pub content: &'static str,
}

impl Example {
    /// A call without a body.
    #[must_use]
    pub fn plain() -> Self {
        Self::default()
    }

    /// A call with this JSON body.
    #[must_use]
    pub fn body(body: serde_json::Value) -> Self {
        Self { body: Some(body), ..Self::default() }
    }

    /// A call with a form of this file.
    #[must_use]
    pub fn file(field: &'static str, name: &'static str, content: &'static str) -> Self {
        Self { files: vec![ExampleFile { field, name, content }], ..Self::default() }
    }

    /// With a parameter of the query string.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: &'static str) -> Self {
        self.query.push((name, value));
        self
    }

    /// With the answer.
    #[must_use]
    pub fn answers(mut self, reply: serde_json::Value) -> Self {
        self.reply = Some(reply);
        self
    }
}
