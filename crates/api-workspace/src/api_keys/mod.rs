mod create;
mod list;
mod revoke;

pub(crate) use create::Create;
pub(crate) use list::List;
pub(crate) use revoke::Revoke;

const SECTION: &str = "API Keys";
const COLLECTION: &str = "/internal/api_keys";
const ITEM: &str = "/internal/api_keys/{key_id}";
