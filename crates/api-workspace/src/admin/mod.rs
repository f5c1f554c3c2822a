mod delete;
mod get;
mod list;
mod update;

pub(crate) use delete::Delete;
pub(crate) use get::Get;
pub(crate) use list::List;
pub(crate) use update::Update;

use omni_domain::Account;
use omni_wire::AccountResponse;

use crate::Services;

const SECTION: &str = "Admin";
const COLLECTION: &str = "/internal/admin/users";
const ITEM: &str = "/internal/admin/users/{user_id}";

fn shown(services: &Services, account: Account) -> AccountResponse {
    let is_omniadmin = services.accounts.is_omniadmin(&account);
    AccountResponse::new(account, is_omniadmin)
}
