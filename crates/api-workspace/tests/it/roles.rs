//! Every route with every actor: the answer is what the route's own line of the table says.

use omni_api_workspace::ROUTES;
use omni_domain::Role;
use omni_http::Reach;
use omni_testkit::{Actor, Cast, Client, TestApi};

use crate::scene::{Ids, Route, call_at, is_leaving, join, name, target};

/// In FAKE mode there is no provider that sends anybody back.
const CALLBACK: &str = "/internal/auth/callback";

/// What a call is answered, by the route's access rule. `names_app` says whether `?app_id=` is given where it may be left
/// out.
fn expected(route: &Route, actor: &Actor, names_app: bool) -> u16 {
    let access = route.access();
    if route.path == CALLBACK {
        return 404;
    }
    let Some(lowest) = access.lowest else { return route.success };
    if !actor.is_signed_in {
        return 401;
    }
    let held = match access.reach {
        Reach::Nowhere | Reach::Platform if actor.role == Some(Role::Omniadmin) => Role::Omniadmin,
        Reach::Nowhere | Reach::Platform => Role::User,
        Reach::Invitation if actor.is_invited => Role::User,
        Reach::Invitation => return 404,
        // Without an app, everybody is asked about what is theirs.
        Reach::AppOrMine if !names_app => lowest,
        _ => match actor.role {
            Some(role) => role,
            None => return 404,
        },
    };
    match held {
        held if held < lowest => 403,
        Role::Owner | Role::Omniadmin if is_leaving(route) => 409,
        _ => route.success,
    }
}

/// The calls of a route: with `?app_id=` left out and given, where both can be.
fn targets(route: &Route, ids: Ids) -> Vec<(bool, String)> {
    let plain = target(route, ids);
    let app = ids.app;
    match route.access().reach {
        Reach::AppOfThing | Reach::AppOfQueried(_) | Reach::AppByPath | Reach::AppOrMine => {
            vec![(false, plain.clone()), (true, join(&plain, &format!("app_id={app}")))]
        }
        Reach::AppByQuery => vec![(true, plain)],
        Reach::Nowhere | Reach::Platform | Reach::Invitation | Reach::Key => vec![(false, plain)],
    }
}

/// Signing in and out ends the session that asks; whoever tries those does it in a session of their own.
async fn in_own_session(route: &Route, actor: &Actor) -> Client {
    let ends_session = route.path.starts_with("/internal/auth/") && route.access().lowest.is_none();
    if ends_session && actor.is_signed_in { actor.client.again().await } else { actor.client.clone() }
}

/// Whether the path has something in it that is a person's own.
fn is_about_own(route: &Route) -> bool {
    route.path.contains("{conversation_id}") || route.path.contains("{turn_id}")
}

/// Has every actor call each of these routes, in a house of their own.
async fn every_actor_calls(routes: Vec<&'static Route>) {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let mut wrong = Vec::new();
    let mut cells = 0;
    for route in &routes {
        let mut stage = Ids::make(&cast.owner, cast.another_app(&api).await).await;
        for actor in cast.actors() {
            for variant in 0..targets(route, stage).len() {
                let may_talk = actor.role.is_some_and(|role| role >= Role::Viewer);
                let mut ids =
                    if may_talk && is_about_own(route) { stage.talked_by(&actor.client).await } else { stage };
                if actor.is_signed_in && route.path.contains("{session_id}") {
                    ids = ids.signed_in_by(&actor.client).await;
                }
                let (names_app, target) = targets(route, ids).remove(variant);
                let expected = expected(route, &actor, names_app);
                let client = in_own_session(route, &actor).await;
                let before = api.database().snapshot().await;
                let answer = call_at(&client, route, ids, &target).send().await;
                cells += 1;
                if answer.status != expected {
                    wrong.push(format!("{} by {} ({target}): expected {expected}; {answer}", name(route), actor.name));
                }
                if answer.status >= 400 {
                    answer.detail();
                    assert!(api.database().snapshot().await == before, "{answer}, and yet something was stored");
                } else if !route.method.is_safe() {
                    // What was removed or taken is there again for the next one.
                    stage = Ids::make(&cast.owner, cast.another_app(&api).await).await;
                }
            }
        }
    }
    assert!(cells >= routes.len() * cast.actors().len());
    assert!(wrong.is_empty(), "{} of {cells} cells:\n{}", wrong.len(), wrong.join("\n"));
}

/// The matrix, in parts that run side by side: what is stored grows with each call, and each call looks at all of it.
macro_rules! every_route_answers_every_actor_as_its_line_says {
    ($($part:ident = $number:literal),+) => {
        const PARTS: usize = [$($number),+].len();

        mod every_route_answers_every_actor_as_its_line_says {
            $(
                #[tokio::test]
                async fn $part() {
                    super::every_actor_calls(super::ROUTES.iter().skip($number).step_by(super::PARTS).collect()).await;
                }
            )+
        }

        #[test]
        fn the_parts_are_the_whole() {
            let numbers = [$($number),+];
            assert!(numbers.iter().copied().eq(0..PARTS), "{numbers:?}");
        }
    };
}

every_route_answers_every_actor_as_its_line_says! {
    first = 0, second = 1, third = 2, fourth = 3, fifth = 4, sixth = 5, seventh = 6, eighth = 7
}

#[tokio::test]
async fn a_change_of_role_counts_from_the_next_request_on() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let agents = format!("/internal/agents?app_id={}", cast.app);
    let make = |name: &str| cast.editor.post(&agents).json(&serde_json::json!({ "name": name }));
    make("one").send().await.expect(201);
    let sql = api.database().sql().await;
    let change = |set: &str| {
        format!("UPDATE collaborations SET {set} WHERE user_id = {} AND app_id = {}", cast.editor.user_id, cast.app)
    };
    sql.batch_execute(&change("role = 'viewer'")).await.unwrap();
    assert_eq!(make("two").send().await.refusal(403), "this takes the role editor or higher");
    cast.editor.get(&agents).send().await.expect(200);
    sql.batch_execute(&change("status = 'declined'")).await.unwrap();
    cast.editor.get(&agents).send().await.refusal(404);
    let shut_out = format!("UPDATE users SET is_active = false WHERE user_id = {}", cast.owner.user_id);
    sql.batch_execute(&shut_out).await.unwrap();
    assert_eq!(cast.owner.get("/internal/apps").send().await.refusal(403), "this account is deactivated");
}
