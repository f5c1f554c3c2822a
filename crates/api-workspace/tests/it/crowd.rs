//! Many at once: streams hold no connection to the database, so a small pool serves a crowd.

use std::time::{Duration, Instant};

use futures::future::join_all;
use omni_testkit::TestApi;
use serde_json::json;

use crate::chat::Place;

const CROWD: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_streams_on_four_connections_leave_room_for_others() {
    let api = TestApi::builder().connections(4).start().await;
    let place = Place::over(api, "hang-after-3").await;
    let begun = join_all((0..CROWD).map(async |_| {
        let body = json!({ "message": "Wait with me", "new_conversation": true });
        let mut stream = place.owner.post(&place.chat()).json(&body).stream().await;
        stream.next_of("token").await;
        stream
    }));
    let streams = begun.await;
    assert_eq!(streams.len(), CROWD);
    let started = Instant::now();
    for _ in 0..10 {
        place.owner.get("/internal/apps").send().await.expect(200);
    }
    let took = started.elapsed() / 10;
    assert!(took < Duration::from_millis(500), "GET /internal/apps took {took:?} beside {CROWD} streams");
    let sql = place.api.database().sql().await;
    let row =
        sql.query_one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", &[]).await.unwrap();
    // The four of the server, and the one that asks.
    assert!(row.get::<_, i64>(0) <= 5);
    let usage = place.owner.get("/internal/conversations?per_page=1").send().await.expect(200);
    assert_eq!(usage["total"], json!(CROWD));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_turns_that_end_together_are_all_stored() {
    let api = TestApi::builder().connections(4).start().await;
    let place = Place::over(api, "slow-first-100ms").await;
    let answers = join_all((0..100).map(async |_| {
        let body = json!({ "message": "Hello", "new_conversation": true });
        place.owner.post(&place.chat()).header("accept", "application/json").json(&body).send().await.expect(200)
    }));
    assert_eq!(answers.await.len(), 100);
    let usage = place.usage().await;
    assert_eq!((&usage["totals"]["turns"], &usage["totals"]["failed"]), (&json!(100), &json!(0)));
    let sql = place.api.database().sql().await;
    assert!(!sql.any("SELECT FROM messages WHERE status <> 'complete'").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_make_the_same_name_at_once_one_succeeds() {
    let place = Place::open("tokens-1").await;
    let path = format!("/internal/agents?app_id={}", place.app);
    let made = join_all((0..20).map(async |_| place.owner.post(&path).json(&json!({ "name": "Twin" })).send().await));
    let mut statuses: Vec<u16> = made.await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[19]), (201, 409, 409));
    let apps = join_all((0..20).map(async |_| place.owner.create_app("Same name").await)).await;
    assert_eq!(apps.iter().collect::<std::collections::BTreeSet<_>>().len(), 20);
    let slugs = place.api.database().sql().await;
    let of_the_name = "SELECT count(DISTINCT slug) FROM apps WHERE slug LIKE 'same-name%'";
    assert_eq!(slugs.query_one(of_the_name, &[]).await.unwrap().get::<_, i64>(0), 20);
}
