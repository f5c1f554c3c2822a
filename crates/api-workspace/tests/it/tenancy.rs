//! What is of another app does not exist: not to its neighbour's owner, and not under another app's name.

use omni_api_workspace::ROUTES;
use omni_http::Reach;
use omni_testkit::{Answer, Cast, Client, TestApi};
use serde_json::json;

use crate::scene::{Ids, Route, call_at, filled, join, name, target};

fn is_in_an_app(route: &Route) -> bool {
    !matches!(route.access().reach, Reach::Nowhere | Reach::Platform | Reach::Invitation)
}

fn in_an_app() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| is_in_an_app(route))
}

/// Sends the route's example with these ids, and `query` behind them.
async fn send(client: &Client, route: &Route, ids: Ids, query: &str) -> Answer {
    let path = match route.access().reach {
        // Here the app is named by the query alone.
        Reach::AppByQuery | Reach::AppOrMine => filled(route.path, ids),
        _ => target(route, ids),
    };
    call_at(client, route, ids, &join(&path, query)).send().await
}

#[tokio::test]
async fn what_is_of_another_app_answers_like_what_does_not_exist() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ours = Ids::make(&cast.owner, cast.app).await;
    let theirs = Ids::make(&cast.neighbour, cast.other_app).await;
    let before = api.database().snapshot().await;
    let mut tried = 0;
    let invitations = ROUTES.iter().filter(|route| route.access().reach == Reach::Invitation);
    for route in in_an_app().chain(invitations) {
        let by_query = matches!(route.access().reach, Reach::AppByQuery | Reach::AppOrMine);
        for app in [None, Some(ours.app), Some(theirs.app), Some(crate::scene::UNKNOWN)] {
            // The neighbour's own lists are the neighbour's to see, and without a name there is nothing to hide.
            if by_query && (app.is_none() || app == Some(theirs.app)) {
                continue;
            }
            let query = app.map(|app| format!("app_id={app}")).unwrap_or_default();
            let foreign = send(&cast.neighbour, route, ours, &query).await;
            let nothing = if by_query {
                send(&cast.neighbour, route, ours, "app_id=987654321").await
            } else {
                send(&cast.neighbour, route, Ids::unknown(), &query).await
            };
            foreign.refusal(404);
            assert_eq!(foreign.bytes(), nothing.bytes(), "{} with `{query}`", name(route));
            tried += 1;
        }
        // Named more than once, the app is none, whatever the path points at.
        for second in [ours.app, theirs.app].iter().filter(|_| is_in_an_app(route)) {
            let query = format!("app_id={}&app_id={second}", theirs.app);
            let foreign = send(&cast.neighbour, route, ours, &query).await;
            let nothing = send(&cast.neighbour, route, Ids::unknown(), &query).await;
            assert_eq!(foreign.refusal(400), "app_id: given more than once", "{}", name(route));
            assert_eq!(foreign.bytes(), nothing.bytes(), "{} with `{query}`", name(route));
            tried += 1;
        }
    }
    assert!(tried > 20);
    assert!(api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_thing_is_not_found_under_the_name_of_another_app_of_the_same_owner() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let another = cast.owner.create_app("Mine, too").await;
    let before = api.database().snapshot().await;
    for route in in_an_app()
        .filter(|route| matches!(route.access().reach, Reach::AppOfThing | Reach::AppOfQueried(_) | Reach::AppByPath))
    {
        let wrong = send(&cast.owner, route, ids, &format!("app_id={another}")).await;
        wrong.refusal(404);
        // Not even one who outranks everyone gets it so.
        send(&cast.omniadmin, route, ids, &format!("app_id={another}")).await.refusal(404);
    }
    assert!(api.database().snapshot().await == before);
}

#[tokio::test]
async fn an_app_that_is_named_twice_is_no_app() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let before = api.database().snapshot().await;
    for route in in_an_app() {
        for second in [ids.app, cast.other_app] {
            let answer = send(&cast.owner, route, ids, &format!("app_id={}&app_id={second}", ids.app)).await;
            assert_eq!(answer.refusal(400), "app_id: given more than once", "{}", name(route));
        }
    }
    assert!(api.database().snapshot().await == before);
}

#[tokio::test]
async fn conversations_and_turns_are_of_one_person() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    for route in
        ROUTES.iter().filter(|route| route.path.contains("{conversation_id}") || route.path.contains("{turn_id}"))
    {
        for other in [&cast.viewer, &cast.administrator, &cast.omniadmin] {
            let answer = send(other, route, ids, "").await;
            answer.refusal(404);
            let unknown = Ids { conversation: crate::scene::UNKNOWN, turn: crate::scene::UNKNOWN, ..ids };
            assert_eq!(answer.bytes(), send(other, route, unknown, "").await.bytes(), "{}", name(route));
        }
    }
    assert_eq!(cast.owner.history(&json!(ids.conversation)).await.len(), 2);
}

#[tokio::test]
async fn a_reference_in_a_body_to_another_app_is_refused_by_name_and_tells_nothing() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ours = Ids::make(&cast.owner, cast.app).await;
    let theirs = Ids::make(&cast.neighbour, cast.other_app).await;
    let before = api.database().snapshot().await;
    let agent = json!({ "name": "Spy" });
    let folder = json!({ "name": "Spy", "repository_id": ours.repository });
    let folder_of = format!("folders/{}", ours.folder);
    for (field, foreign, collection, item, draft) in [
        ("service_id", theirs.service, "agents", format!("agents/{}", ours.agent), &agent),
        ("silo_id", theirs.silo, "agents", format!("agents/{}", ours.agent), &agent),
        ("embedding_service_id", theirs.embedding_service, "silos", format!("silos/{}", ours.silo), &agent),
        (
            "embedding_service_id",
            theirs.embedding_service,
            "repositories",
            format!("repositories/{}", ours.repository),
            &agent,
        ),
        ("parent_folder_id", theirs.folder, "folders", folder_of, &folder),
    ] {
        let details = [foreign, crate::scene::UNKNOWN].map(async |id| {
            let mut body = draft.clone();
            body[field] = json!(id);
            let made = cast.owner.post(&format!("/internal/{collection}?app_id={}", ours.app)).json(&body).send().await;
            let body = json!({ field: id });
            let changed = cast.owner.put(&format!("/internal/{item}")).json(&body).send().await;
            let details = [made.refusal(400), changed.refusal(400)];
            details.map(|detail| {
                assert!(detail.starts_with(&format!("{field}: ")), "{detail}");
                detail.replace(&id.to_string(), "#")
            })
        });
        let [foreign, unknown] = details;
        assert_eq!(foreign.await, unknown.await);
    }
    for id in [theirs.repository, crate::scene::UNKNOWN] {
        let body = json!({ "name": "Spy", "repository_id": id });
        let made = cast.owner.post(&format!("/internal/folders?app_id={}", ours.app)).json(&body).send().await;
        assert_eq!(made.refusal(400), format!("repository_id: nothing with the id {id} in this app"));
    }
    let foreign_conversation = json!({ "message": "What did they say?", "conversation_id": theirs.conversation });
    let chat = cast.owner.post(&format!("/internal/agents/{}/chat", ours.agent)).json(&foreign_conversation);
    assert!(chat.send().await.refusal(400).starts_with("conversation_id: "));
    assert!(api.database().snapshot().await == before);
}

#[tokio::test]
async fn fields_that_are_not_the_callers_to_write_are_ignored() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = Ids::make(&cast.owner, cast.app).await;
    let greedy = json!({
        "name": "Mine",
        "app_id": cast.other_app,
        "agent_id": 1,
        "service_id": null,
        "owner_id": cast.neighbour.user_id,
        "user_id": cast.neighbour.user_id,
        "email": "omniadmin@example.com",
        "role": "omniadmin",
        "is_omniadmin": true,
        "is_active": false,
        "slug": "taken",
        "request_count": 7,
        "create_date": "1999-01-01T00:00:00Z",
    });
    let app = cast.owner.put(&format!("/internal/apps/{}", ids.app)).json(&greedy).send().await.expect(200);
    assert_eq!((&app["owner_id"], &app["slug"]), (&json!(cast.owner.user_id), &json!("our-app")));
    let agent = cast.owner.post(&format!("/internal/agents?app_id={}", ids.app)).json(&greedy).send().await.expect(201);
    assert_eq!((&agent["app_id"], &agent["request_count"]), (&json!(ids.app), &json!(0)));
    assert_ne!(agent["create_date"], greedy["create_date"]);
    cast.member.put("/internal/user/profile").json(&greedy).send().await.expect(200);
    let me = cast.member.get("/internal/auth/me").send().await.expect(200);
    assert_eq!((&me["email"], &me["is_omniadmin"]), (&json!("member@example.com"), &json!(false)));
}
