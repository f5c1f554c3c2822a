use std::fmt::Write;

use omni_domain::Role;

use crate::{Described, Plane, Reach, Router};

/// The title above a matrix, and how to read it.
const PREFACE: &str = "Generated from the table of endpoints by `cargo xtask gen`; do not edit.\n\n\
    `●` may, `○` is answered 403, `·` is answered 404 (the app and all in it is invisible), `–` is answered 401. \
    *Own* means that the endpoint is about what is the caller's own, and *invited* that it is for whom the invitation asks.\n";

/// What each role may do: method, path, and the roles from `guest` to `omniadmin`, for whoever compares it.
#[must_use]
pub fn role_matrix<P: Plane>(router: &Router<P>) -> Vec<(&'static str, &'static str, Described)> {
    let mut lines: Vec<_> = router.routes().map(|line| (line.path, line.method.as_str(), line.access())).collect();
    lines.sort_by_key(|(path, method, _)| (*path, *method));
    lines.into_iter().map(|(path, method, access)| (method, path, access)).collect()
}

/// The role matrix as a page of the reference.
#[must_use]
pub fn matrix_markdown<P: Plane>(router: &Router<P>) -> String {
    let mut page = format!("# Who may do what: {}\n\n{PREFACE}\n", P::TITLE);
    page.push_str("| method | path | least role | ");
    page.push_str(&Role::LADDER.map(Role::as_str).join(" | "));
    page.push_str(" |\n|---|---|---|");
    page.push_str(&"---|".repeat(Role::LADDER.len()));
    page.push('\n');
    for (method, path, access) in role_matrix(router) {
        let least = access.lowest.map_or("none", Role::as_str);
        let own = match access.reach {
            Reach::AppOrMine => " (own)",
            Reach::Invitation => " (invited)",
            _ => "",
        };
        let cells = Role::LADDER.map(|role| cell(access, role)).join(" | ");
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| {method} | `{path}` | {least}{own} | {cells} |");
    }
    page
}

fn cell(access: Described, role: Role) -> &'static str {
    let Some(lowest) = access.lowest else {
        return "●";
    };
    match role {
        Role::Guest => "–",
        // Whom it asks has no role in the app yet; a role, however high, answers nobody else's invitation.
        _ if access.reach == Reach::Invitation => "invited",
        held if held >= lowest => "●",
        // Outside an app, `user` is the role of everybody who is signed in; in one, of a member who sees no workspace.
        Role::User if access.reach == Reach::AppOrMine => "own",
        _ => "○",
    }
}
