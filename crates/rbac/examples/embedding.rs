//! Another service that borrows Omni's permissions: its own store of people and memberships, no web framework, no SQL.
//!
//! `cargo run -p omni-rbac --example embedding`

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use omni_domain::{AppId, Clock, CollaborationId, Origin, Provenance, Role, Timestamp, User, UserId};
use omni_rbac::{
    ApiKeyDigest, Authority, Denied, Directory, DirectoryError, Editor, Grant, KnownKey, Member, Omniadmins, Scope,
    SessionKey, Standing, Viewer,
};

/// People and memberships, wherever this service keeps them.
struct Club {
    people: BTreeMap<&'static str, User>,
    members: BTreeMap<(UserId, AppId), Role>,
}

impl Directory for Club {
    fn person<'a>(
        &'a self,
        session: &'a SessionKey,
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<User>, DirectoryError>> {
        let found = self.people.iter().find(|(secret, _)| SessionKey::of(secret) == *session);
        futures::future::ready(Ok(found.map(|(_, user)| user.clone()))).boxed()
    }

    fn standing<'a>(
        &'a self,
        user: UserId,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>> {
        let standing = match scope {
            Scope::App(app) => {
                let member = self.members.get(&(user, *app)).map_or(Member::No, |role| Member::As(*role));
                Some(Standing { app: *app, member })
            }
            // This service has apps, and nothing in them that a request could point at.
            _ => None,
        };
        futures::future::ready(Ok(standing)).boxed()
    }

    fn standings<'a>(
        &'a self,
        pairs: &'a [(UserId, AppId)],
    ) -> BoxFuture<'a, Result<Vec<(User, Standing)>, DirectoryError>> {
        let standing = |(user, app): &(UserId, AppId)| {
            let person = self.people.values().find(|person| person.id == *user)?;
            let member = self.members.get(&(*user, *app)).map_or(Member::No, |role| Member::As(*role));
            Some((person.clone(), Standing { app: *app, member }))
        };
        futures::future::ready(Ok(pairs.iter().filter_map(standing).collect())).boxed()
    }

    fn owner<'a>(&'a self, _app: AppId) -> BoxFuture<'a, Result<Option<UserId>, DirectoryError>> {
        // A club belongs to nobody.
        futures::future::ready(Ok(None)).boxed()
    }

    fn is_invited<'a>(
        &'a self,
        _person: &'a User,
        _invitation: CollaborationId,
    ) -> BoxFuture<'a, Result<bool, DirectoryError>> {
        // Who is in this club was born in it.
        futures::future::ready(Ok(false)).boxed()
    }

    fn ended<'a>(
        &'a self,
        _sessions: &'a [SessionKey],
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<SessionKey>, DirectoryError>> {
        futures::future::ready(Ok(Vec::new())).boxed()
    }

    fn key<'a>(
        &'a self,
        _digest: &'a ApiKeyDigest,
        _now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<KnownKey>, DirectoryError>> {
        // No program acts for this club.
        futures::future::ready(Ok(None)).boxed()
    }

    #[expect(clippy::print_stdout, reason = "an example shows what it does")]
    fn refused(&self, _app: Option<AppId>, by: &Arc<Provenance>, code: &'static str) {
        println!("refused {} to {}: {code}", by.origin.call, by.actor.name);
    }
}

/// What the request was.
fn from(call: &str) -> Origin {
    Origin { call: call.to_owned(), ..Origin::default() }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        time::macros::datetime!(2026-11-22 12:00 UTC)
    }
}

/// What an editor may do. A caller without an editor's grant does not compile.
fn rename(grant: &Grant<Editor>, name: &str) -> String {
    format!("app {} is now called {name}; {}", grant.app(), look(&grant.at()))
}

/// What a viewer may do.
fn look(grant: &Grant<Viewer>) -> String {
    format!("seen by user {} as {}", grant.actor(), grant.held())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Denied> {
    let person = |id, email: &str| User {
        id: UserId::new(id),
        email: email.to_owned(),
        email_verified: true,
        name: email.to_owned(),
        is_active: true,
        created: Noon.now(),
    };
    let (ada, bob, app) = (person(1, "ada@example.com"), person(2, "bob@example.com"), AppId::new(7));
    let club = Club {
        members: BTreeMap::from([((ada.id, app), Role::Editor), ((bob.id, app), Role::Viewer)]),
        people: BTreeMap::from([("ada's secret", ada), ("bob's secret", bob)]),
    };
    #[expect(clippy::disallowed_methods, reason = "the one mint of this program")]
    let authority = Authority::new(Arc::new(club), Omniadmins::default(), Arc::new(Noon));

    let ada = authority.session(SessionKey::of("ada's secret"), from("PUT /clubs/7")).await?;
    let grant = authority.grant::<Editor>(&ada, &Scope::App(app), None).await?;
    println!("{}", rename(&grant, "Chess club"));

    let bob = authority.session(SessionKey::of("bob's secret"), from("PUT /clubs/7")).await?;
    match authority.grant::<Editor>(&bob, &Scope::App(app), None).await {
        Err(Denied::Forbidden { needed }) => println!("bob may not: this takes the role {needed}"),
        other => println!("bob: {other:?}"),
    }
    Ok(())
}
