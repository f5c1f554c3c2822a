//! Leaving a stream and coming back; and stopping a turn.

use std::time::{Duration, Instant};

use omni_domain::Role;
use omni_scripted_model::Script;
use omni_testkit::{PATIENCE, TestApi, eventually};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::chat::{Place, said};

fn events_of(place: &Place, metadata: &Value) -> String {
    format!("/internal/agents/{}/turns/{}/events", place.agent, metadata["turn_id"])
}

async fn ended(place: &Place, metadata: &Value) -> Value {
    eventually("the turn ends", async || {
        let history = place.owner.history(&metadata["conversation_id"]).await;
        let answer = history.last().unwrap().clone();
        (answer["status"] != "streaming").then_some(answer)
    })
    .await
}

#[tokio::test]
async fn a_reader_who_leaves_loses_nothing() {
    let place = Place::open("tokens-40-5ms").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    let seen = stream.next_of("token").await;
    drop(stream);

    let answer = ended(&place, &metadata).await;
    let whole: String = (0..40).map(|index| format!("t{index} ")).collect();
    assert_eq!((&answer["status"], &answer["content"]), (&json!("complete"), &json!(whole)));

    let resumed = place.owner.get(&events_of(&place, &metadata)).header("last-event-id", &seen.id.to_string());
    let rest = resumed.stream().await.rest().await;
    assert_eq!(rest[0].id, seen.id + 1);
    assert_eq!(format!("{}{}", seen.data["content"].as_str().unwrap(), said(&rest)), whole);
    assert_eq!(rest.last().unwrap().kind(), "done");
    let again = place.owner.get(&events_of(&place, &metadata)).stream().await.rest().await;
    assert_eq!((again[0].kind(), said(&again)), ("metadata", whole));
    let behind_the_end = place.owner.get(&events_of(&place, &metadata)).header("last-event-id", "100000");
    assert_eq!(behind_the_end.stream().await.rest().await, []);
}

#[tokio::test]
async fn two_readers_follow_one_turn_that_runs() {
    let place = Place::open("tokens-30-5ms").await;
    let mut first = place.owner.chat(place.agent, "Count").await;
    let metadata = first.next_of("metadata").await.data;
    let second = place.owner.get(&events_of(&place, &metadata)).stream().await;
    let (first, second) = tokio::join!(first.rest(), second.rest());
    assert_eq!(said(&first), said(&second));
    assert_eq!(place.model.tally().started, 1);
}

#[tokio::test]
async fn nobody_else_reads_or_stops_a_turn() {
    let place = Place::open("hang-after-3").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    let events = events_of(&place, &metadata);
    let turn = events.trim_end_matches("/events");
    let colleague = place.api.client("colleague@example.com").await;
    place.api.make_member(place.app, &colleague, Role::Administrator).await;
    let stranger = place.api.client("stranger@example.com").await;
    let omniadmin = place.api.client("omniadmin@example.com").await;
    for other in [&colleague, &stranger, &omniadmin] {
        other.get(&events).send().await.refusal(404);
        other.delete(turn).send().await.refusal(404);
    }
    place.api.anonymous().get(&events).send().await.refusal(401);
    assert_eq!(stream.next_of("token").await.data["content"], json!("t0 "));
}

#[tokio::test]
async fn a_turn_is_not_stopped_by_way_of_another_agent() {
    let place = Place::open("hang-after-3").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    let other = place.owner.create_agent(place.app, "Other", None).await;
    let turn = |agent: i64| format!("/internal/agents/{agent}/turns/{}", metadata["turn_id"]);
    place.owner.delete(&turn(other)).send().await.refusal(404);
    stream.next_of("token").await;
    assert_eq!(place.model.tally().cancelled, 0);
    place.owner.delete(&turn(place.agent)).send().await.expect(200);
    assert_eq!(stream.rest().await.last().unwrap().data["code"], json!("cancelled"));
}

#[tokio::test]
async fn a_turn_that_is_stopped_keeps_what_it_has_said() {
    let place = Place::open("hang-after-3").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    for word in ["t0 ", "t1 ", "t2 "] {
        assert_eq!(stream.next_of("token").await.data["content"], json!(word));
    }
    let turn = format!("/internal/agents/{}/turns/{}", place.agent, metadata["turn_id"]);
    place.owner.delete(&turn).send().await.expect(200);
    let last = stream.rest().await.pop().unwrap().data;
    assert_eq!((&last["type"], &last["code"]), (&json!("error"), &json!("cancelled")));
    let answer = ended(&place, &metadata).await;
    assert_eq!((&answer["status"], &answer["content"]), (&json!("interrupted"), &json!("t0 t1 t2 ")));
    place.model.until(PATIENCE, |tally| tally.cancelled == 1).await.expect("the provider is let go");
    place.owner.delete(&turn).send().await.expect(200);
}

#[tokio::test]
async fn a_server_that_stops_lets_turns_end() {
    let api = TestApi::builder().grace(Duration::from_secs(10)).start().await;
    let database = std::sync::Arc::clone(api.database());
    let place = Place::over(api, "tokens-20-10ms").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    let Place { api, owner, .. } = place;
    let stopping = tokio::task::spawn_blocking(move || api.stop());
    assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
    stopping.await.unwrap();
    let successor = TestApi::builder().database(&database).start().await;
    let owner = successor.client(&owner.email).await;
    let history = owner.history(&metadata["conversation_id"]).await;
    assert_eq!(history[1]["status"], json!("complete"));
}

#[tokio::test]
async fn a_server_that_stops_says_so_and_takes_its_grace_once() {
    let grace = Duration::from_secs(4);
    let place = Place::over(TestApi::builder().grace(grace).start().await, "hang-after-3").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    stream.next_of("metadata").await;
    // A turn that does not end holds up the stop, and so does a request that does not.
    let mut unfinished = tokio::net::TcpStream::connect(place.api.address()).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        place.chat(),
        place.owner.cookie().unwrap()
    );
    unfinished.write_all(head.as_bytes()).await.unwrap();
    let Place { api, owner, .. } = place;
    owner.get("/readyz").send().await.expect(200);
    let begun = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || api.stop());
    let refusal = eventually("the server says that it stops", async || {
        let answer = owner.get("/readyz").send().await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(refusal.refusal(503).contains("about to stop"));
    assert_eq!(stream.rest().await.last().unwrap().data["code"], json!("interrupted"));
    stopping.await.unwrap();
    let took = begun.elapsed();
    assert!(took >= grace && took < grace * 2 - Duration::from_millis(500), "{took:?}");
    drop(unfinished);
}

#[tokio::test]
async fn a_server_that_must_stop_at_once_keeps_what_was_said() {
    let place = Place::open("hang-after-3").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    for _ in 0..3 {
        stream.next_of("token").await;
    }
    let database = std::sync::Arc::clone(place.api.database());
    let Place { api, owner, .. } = place;
    let stopping = tokio::task::spawn_blocking(move || api.stop());
    let last = stream.rest().await.pop().unwrap().data;
    assert_eq!((&last["type"], &last["code"]), (&json!("error"), &json!("interrupted")));
    stopping.await.unwrap();
    let successor = TestApi::builder().database(&database).start().await;
    let history = successor.client(&owner.email).await.history(&metadata["conversation_id"]).await;
    assert_eq!((&history[1]["status"], &history[1]["content"]), (&json!("interrupted"), &json!("t0 t1 t2 ")));
}

#[tokio::test]
async fn what_a_slow_reader_has_not_read_is_kept_for_them() {
    let place = Place::open("much").await;
    place.model.script("much", Script::tokens(20_000));
    let mut slow = place.owner.chat(place.agent, "Count").await;
    let metadata = slow.next_of("metadata").await.data;
    let answer = ended(&place, &metadata).await;
    assert_eq!(answer["status"], json!("complete"));
    assert_eq!(json!(said(&slow.rest().await)), answer["content"]);
}
