//! The five endpoints that every kind of thing in an app has, written once. A kind says what is its own about them by
//! implementing [`Resource`].

mod create;
mod delete;
mod get;
mod list;
mod update;

use std::future::Future;

use omni_http::{Example, FromPath};
use omni_persistence::AppScoped;
use omni_rbac::{Editor, Grant, Scope};
use omni_workspace::WorkspaceError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

pub(crate) use create::Create;
pub(crate) use delete::Delete;
pub(crate) use get::Get;
pub(crate) use list::List;
pub(crate) use update::Update;

use crate::Services;

/// A kind of thing that an app has.
pub(crate) trait Resource: 'static {
    /// What names one of them.
    type Id: FromPath + Into<Scope> + Copy + Send + Sync + 'static;
    /// The thing itself.
    type Entity: AppScoped<Id = Self::Id> + 'static;
    /// How it looks on the wire.
    type Response: From<Self::Entity> + Serialize + ToSchema;
    /// What makes one.
    type CreateRequest: DeserializeOwned + ToSchema;
    /// What changes one.
    type UpdateRequest: DeserializeOwned + ToSchema;

    /// Where they are listed.
    const COLLECTION: &'static str;
    /// Where one of them is.
    const ITEM: &'static str;
    /// The section of the documentation.
    const SECTION: &'static str;
    /// What each endpoint does, in the contract's words.
    const SUMMARIES: Summaries;
    /// What one of them is called in a sentence: "Agent".
    const ONE: &'static str;

    /// A request that makes one.
    fn create_example() -> Example;
    /// A request that changes one.
    fn update_example() -> Example;

    /// Makes one.
    fn create(
        services: &Services,
        grant: &Grant<Editor>,
        request: Self::CreateRequest,
    ) -> impl Future<Output = Result<Self::Entity, WorkspaceError>>;

    /// Changes one.
    fn update(
        services: &Services,
        grant: &Grant<Editor>,
        id: Self::Id,
        request: Self::UpdateRequest,
    ) -> impl Future<Output = Result<Self::Entity, WorkspaceError>>;

    /// What else ends when one has been deleted.
    fn after_delete(_services: &Services, _id: Self::Id) {}
}

/// What the endpoints of a kind do, in a few words each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summaries {
    pub(crate) list: &'static str,
    pub(crate) create: &'static str,
    pub(crate) get: &'static str,
    pub(crate) update: &'static str,
    pub(crate) delete: &'static str,
}
