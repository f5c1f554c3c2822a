mod delete;
mod history;
mod list;

pub(crate) use delete::Delete;
pub(crate) use history::History;
pub(crate) use list::List;

const SECTION: &str = "Conversations";
const ITEM: &str = "/internal/conversations/{conversation_id}";
