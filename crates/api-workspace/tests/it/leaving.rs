//! What is deleted under a running turn ends it, and leaves nothing behind.

use std::time::Duration;

use futures::future::join_all;
use omni_api_workspace::ROUTES;
use omni_domain::Role;
use omni_testkit::{Client, Event, Events, PATIENCE};
use serde_json::{Value, json};

use crate::chat::Place;
use crate::openapi::Document;
use crate::scene::name;

/// A turn that has said something and would go on for ever.
async fn running(place: &Place) -> (Events, Value) {
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    stream.next_of("token").await;
    (stream, metadata)
}

async fn ends_with_an_error(place: &Place, stream: Events) -> Event {
    let last = stream.rest().await.pop().unwrap();
    assert_eq!(last.kind(), "error", "{last:?}");
    place.model.until(PATIENCE, |tally| tally.cancelled == 1).await.expect("the provider is let go");
    last
}

async fn nothing_is_left(place: &Place) {
    let left = place.api.database().snapshot().await;
    for table in ["conversations", "turns", "messages"] {
        assert_eq!(left.rows(table), 0, "{table}");
    }
}

#[tokio::test]
async fn deleting_the_agent_ends_its_turn() {
    let place = Place::open("hang-after-3").await;
    let (stream, _) = running(&place).await;
    place.owner.delete(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    ends_with_an_error(&place, stream).await;
    nothing_is_left(&place).await;
    place.owner.ask(place.agent, "Still there?").await.refusal(404);
}

#[tokio::test]
async fn deleting_the_app_ends_its_turns_and_removes_all_of_it() {
    let place = Place::open("hang-after-3").await;
    let (stream, _) = running(&place).await;
    place.owner.delete(&format!("/internal/apps/{}", place.app)).send().await.expect(200);
    ends_with_an_error(&place, stream).await;
    nothing_is_left(&place).await;
    let left = place.api.database().snapshot().await;
    for table in ["apps", "agents", "ai_services", "usage_daily", "collaborations"] {
        assert_eq!(left.rows(table), 0, "{table}");
    }
}

#[tokio::test]
async fn deleting_or_emptying_the_conversation_ends_its_turn() {
    for empties in [false, true] {
        let place = Place::open("hang-after-3").await;
        let (stream, metadata) = running(&place).await;
        if empties {
            place.owner.post(&format!("/internal/agents/{}/reset", place.agent)).send().await.expect(200);
        } else {
            let conversation = format!("/internal/conversations/{}", metadata["conversation_id"]);
            place.owner.delete(&conversation).send().await.expect(200);
        }
        ends_with_an_error(&place, stream).await;
        let left = place.api.database().snapshot().await;
        assert_eq!((left.rows("turns"), left.rows("messages")), (0, 0));
        assert_eq!(left.rows("conversations"), i64::from(empties));
    }
}

#[tokio::test]
async fn a_service_may_change_under_a_running_turn_and_the_next_one_uses_it() {
    let place = Place::open("tokens-30-5ms").await;
    let (stream, _) = running(&place).await;
    let agent = place.owner.get(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    let service = format!("/internal/ai_services/{}", agent["service_id"]);
    place.owner.put(&service).json(&json!({ "model": "says:changed" })).send().await.expect(200);
    assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
    assert_eq!(place.owner.ask(place.agent, "And now?").await.expect(200)["response"], json!("changed"));
}

#[tokio::test]
async fn who_loses_their_place_loses_the_answer_that_is_on_its_way_within_five_seconds() {
    let place = Place::open("hang-after-3").await;
    for (fate, sql) in [
        ("removed", "DELETE FROM collaborations WHERE status = 'accepted'"),
        ("lowered", "UPDATE collaborations SET role = 'user'"),
        ("deactivated", "UPDATE users SET is_active = false WHERE email LIKE 'deactivated@%'"),
    ] {
        let person = place.api.client(&format!("{fate}@example.com")).await;
        place.api.make_member(place.app, &person, Role::Viewer).await;
        let mut stream = person.chat(place.agent, "Count").await;
        stream.next_of("token").await;
        place.api.database().sql().await.batch_execute(sql).await.unwrap();
        let ends = tokio::time::timeout(Duration::from_secs(5), stream.rest());
        let last = ends.await.unwrap_or_else(|_| panic!("the stream of somebody {fate} goes on")).pop().unwrap();
        assert_eq!(last.kind(), "error", "{fate}: {last:?}");
    }
}

#[tokio::test]
async fn a_session_that_is_ended_reads_no_further_and_the_turn_goes_on() {
    let place = Place::open("hang-after-3").await;
    let stolen = place.owner.again().await;
    let (stream, metadata) = running(&place).await;
    let events = format!("/internal/agents/{}/turns/{}/events", place.agent, metadata["turn_id"]);
    let follower = stolen.get(&events).stream().await;
    stolen.post("/internal/auth/logout").send().await.expect(200);
    let kinds: Vec<String> = follower.rest().await.iter().map(|event| event.kind().to_owned()).collect();
    assert!(kinds.contains(&"token".to_owned()), "{kinds:?}");
    assert!(!kinds.iter().any(|kind| kind == "done" || kind == "error"), "{kinds:?}");
    let turn = format!("/internal/agents/{}/turns/{}", place.agent, metadata["turn_id"]);
    place.owner.delete(&turn).send().await.expect(200);
    assert_eq!(ends_with_an_error(&place, stream).await.data["code"], json!("cancelled"));
}

/// Begins every stream that there is, each of which would go on for ever, and answers them by their routes' names.
async fn every_stream(place: &Place, reader: &Client) -> Vec<(&'static str, Events)> {
    let (chat, metadata) = {
        let mut stream = reader.chat(place.agent, "Count").await;
        let metadata = stream.next_of("metadata").await.data;
        (stream, metadata)
    };
    let make = async |path: String, body: Value, id: &str| {
        let made = place.owner.post(&path).json(&body).send().await;
        assert!([201, 202].contains(&made.status), "{made}");
        made.json()[id].clone()
    };
    let repositories = format!("/internal/repositories?app_id={}", place.app);
    let repository = make(repositories, json!({ "name": reader.email }), "repo_id").await;
    let files = format!("/internal/repositories/{repository}/files");
    let file = place.owner.post(&files).form(&[], &[("file", "a.txt", b"A file")]).send().await.expect(201);
    let domains = format!("/internal/domains?app_id={}", place.app);
    let body = json!({ "name": reader.email, "base_url": "http://127.0.0.1:9" });
    let domain = make(domains, body, "domain_id").await;
    let job = make(format!("/internal/domains/{domain}/crawl"), json!({}), "job_id").await;
    let read = async |path: String| reader.get(&path).stream().await;
    let turn = format!("/internal/agents/{}/turns/{}/events", place.agent, metadata["turn_id"]);
    vec![
        ("POST /internal/agents/{agent_id}/chat", chat),
        ("GET /internal/agents/{agent_id}/turns/{turn_id}/events", read(turn).await),
        (
            "GET /internal/repositories/{repo_id}/events",
            read(format!("/internal/repositories/{repository}/events")).await,
        ),
        (
            "GET /internal/repositories/{repo_id}/files/{file_id}/events",
            read(format!("{files}/{}/events", file["resource_id"])).await,
        ),
        (
            "GET /internal/domains/{domain_id}/jobs/{job_id}/events",
            read(format!("/internal/domains/{domain}/jobs/{job}/events")).await,
        ),
    ]
}

#[tokio::test]
async fn who_loses_their_place_reads_no_stream_any_further() {
    let place = Place::open("hang-after-3").await;
    let document = Document::of(&place.api).await;
    for (fate, sql) in [
        ("removed", "DELETE FROM collaborations WHERE status = 'accepted'"),
        ("lowered", "UPDATE collaborations SET role = 'user'"),
        ("deactivated", "UPDATE users SET is_active = false WHERE email LIKE 'deactivated@%'"),
    ] {
        let person = place.api.client(&format!("{fate}@example.com")).await;
        place.api.make_member(place.app, &person, Role::Viewer).await;
        let streams = every_stream(&place, &person).await;
        let mut names: Vec<_> = streams.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.sort();
        let mut known: Vec<_> = ROUTES.iter().filter(|route| document.streams(route)).map(name).collect();
        known.sort();
        assert_eq!(names, known, "left is what is tried here, right is what there is");
        place.api.database().sql().await.batch_execute(sql).await.unwrap();
        join_all(streams.into_iter().map(|(name, stream)| async move {
            let ends = tokio::time::timeout(Duration::from_secs(5), stream.ends());
            ends.await.unwrap_or_else(|_| panic!("{name} of somebody {fate} goes on"));
        }))
        .await;
    }
}
