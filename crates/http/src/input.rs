use std::str::FromStr;

use omni_domain::{
    AgentId, ApiKeyId, AppId, CollaborationId, ConversationId, DocumentId, DomainId, DomainUrlId, EmbeddingServiceId,
    FolderId, JobId, PageRequest, RepositoryId, ServiceId, SessionId, SiloId, TurnId, UserId,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use crate::{ApiError, Visit};

/// Reads an endpoint's part of the path.
pub trait FromPath: Sized {
    /// The names of its parameters.
    const NAMES: &'static [&'static str];

    /// Reads it.
    ///
    /// # Errors
    /// If a parameter is not what it should be.
    fn from_path(visit: &Visit) -> Result<Self, ApiError>;

    /// The parameters, for the documentation.
    fn describe() -> Vec<Parameter> {
        Self::NAMES.iter().map(|name| id_parameter(name)).collect()
    }
}

impl FromPath for () {
    const NAMES: &'static [&'static str] = &[];

    fn from_path(_visit: &Visit) -> Result<Self, ApiError> {
        Ok(())
    }
}

macro_rules! path_ids {
    ($($id:ident => $name:literal),* $(,)?) => {$(
        impl FromPath for $id {
            const NAMES: &'static [&'static str] = &[$name];

            fn from_path(visit: &Visit) -> Result<Self, ApiError> {
                number(visit, $name)
            }
        }
    )*};
}

path_ids! {
    AppId => "app_id",
    ServiceId => "service_id",
    AgentId => "agent_id",
    ApiKeyId => "key_id",
    CollaborationId => "collab_id",
    ConversationId => "conversation_id",
    TurnId => "turn_id",
    UserId => "user_id",
    SessionId => "session_id",
    EmbeddingServiceId => "service_id",
    SiloId => "silo_id",
    RepositoryId => "repo_id",
    FolderId => "folder_id",
    DocumentId => "file_id",
    DomainId => "domain_id",
    DomainUrlId => "url_id",
    JobId => "job_id",
}

fn number<T: FromStr>(visit: &Visit, name: &'static str) -> Result<T, ApiError> {
    let value = visit.parameter(name).ok_or_else(ApiError::not_found)?;
    value.parse().map_err(|_| ApiError::invalid(name, "must be a number"))
}

fn id_parameter(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(
            ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
        ))
        .build()
}

/// Reads an endpoint's part of the query string. Parameters that nobody asks for are ignored.
pub trait FromQuery: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// If a parameter is not what it should be; the error names it.
    fn from_query(query: &str) -> Result<Self, ApiError>;

    /// The parameters, for the documentation.
    fn describe() -> Vec<Parameter>;
}

/// The query string of an endpoint that reads none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoQuery;

impl FromQuery for NoQuery {
    fn from_query(_query: &str) -> Result<Self, ApiError> {
        Ok(Self)
    }

    fn describe() -> Vec<Parameter> {
        Vec::new()
    }
}

impl<T: DeserializeOwned + IntoParams> FromQuery for T {
    fn from_query(query: &str) -> Result<Self, ApiError> {
        refuse_nul(&query.replace("%00", "\0"))?;
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
            let field = error.path().to_string();
            let problem = error.into_inner().to_string();
            let twice = problem.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`'));
            ApiError::malformed(match twice {
                Some(field) => format!("{field}: given more than once"),
                None => format!("{field}: {problem}"),
            })
        })
    }

    fn describe() -> Vec<Parameter> {
        T::into_params(|| Some(ParameterIn::Query))
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
pub struct Paging {
    /// The number of the page, from 1.
    #[serde(default)]
    #[param(minimum = 1)]
    pub page: Option<u32>,
    /// How many items a page has.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub per_page: Option<u32>,
}

impl Paging {
    /// The page of a list that has at most a hundred items or so: all of them unless the caller says otherwise.
    ///
    /// # Errors
    /// If there is no such page.
    pub fn of_short_list(self) -> Result<PageRequest, ApiError> {
        Ok(PageRequest::new(self.page, self.per_page, PageRequest::MOST)?)
    }

    /// The page of a list that grows without bound.
    ///
    /// # Errors
    /// If there is no such page.
    pub fn of_long_list(self) -> Result<PageRequest, ApiError> {
        Ok(PageRequest::new(self.page, self.per_page, PageRequest::DEFAULT)?)
    }
}

/// PostgreSQL keeps no NUL in a text, and nobody means one.
pub(crate) fn refuse_nul(text: &str) -> Result<(), ApiError> {
    if text.contains('\0') { Err(ApiError::malformed("the request must not contain NUL characters")) } else { Ok(()) }
}
