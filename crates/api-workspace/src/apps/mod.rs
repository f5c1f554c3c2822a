mod create;
mod delete;
mod get;
mod list;
mod update;
mod usage;

pub(crate) use create::Create;
pub(crate) use delete::Delete;
pub(crate) use get::Get;
pub(crate) use list::List;
pub(crate) use update::Update;
pub(crate) use usage::Usage;

const SECTION: &str = "Apps & Workspaces";
const COLLECTION: &str = "/internal/apps";
const ITEM: &str = "/internal/apps/{app_id}";
