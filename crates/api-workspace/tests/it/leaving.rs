//! What is deleted under a running turn ends it, and leaves nothing behind.

use std::time::Duration;

use omni_domain::Role;
use omni_testkit::{Event, Events, PATIENCE};
use serde_json::{Value, json};

use crate::chat::Place;

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
