//! A process that stops without a word: its turns end, by whoever notices.

use std::sync::Arc;

use omni_domain::Clock;
use omni_scripted_model::ScriptedModel;
use omni_testkit::{Client, Events, TestApi, TestDatabase};
use serde_json::{Value, json};
use time::Duration;

/// What a process is called that has been killed.
const KILLED: &str = "00000000-0000-4000-8000-000000000001";

/// A turn in mid-answer whose process has just been killed: in the database there is no more of it than that.
struct Orphan {
    api: TestApi,
    owner: Client,
    metadata: Value,
    _stream: Events,
    _model: ScriptedModel,
}

impl Orphan {
    async fn make() -> Self {
        let api = TestApi::start().await;
        let model = ScriptedModel::start().await.unwrap();
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let agent = owner.create_scripted_agent(app, &model, "hang-after-3").await;
        let mut stream = owner.chat(agent, "Count").await;
        let metadata = stream.next_of("metadata").await.data;
        let now = api.clock().now();
        let sql = api.database().sql().await;
        sql.batch_execute(&format!(
            "INSERT INTO runners (runner_id, last_seen) VALUES ('{KILLED}', '{now}'); \
             UPDATE turns SET runner_id = '{KILLED}' WHERE turn_id = {}",
            metadata["turn_id"]
        ))
        .await
        .unwrap();
        Self { api, owner, metadata, _stream: stream, _model: model }
    }

    fn database(&self) -> &Arc<TestDatabase> {
        self.api.database()
    }

    /// What the history says of the answer.
    async fn answer(&self) -> Value {
        self.owner.history(&self.metadata["conversation_id"]).await.pop().unwrap()
    }
}

#[tokio::test]
async fn its_turns_end_as_interrupted_once_it_has_been_silent_for_thirty_seconds() {
    let orphan = Orphan::make().await;
    let clock = omni_testkit::ManualClock::at(orphan.api.clock().now());
    let another = || TestApi::builder().database(orphan.database()).clock(&clock).start();

    clock.advance(Duration::seconds(30));
    let early = another().await;
    assert_eq!(orphan.answer().await["status"], json!("streaming"));

    clock.advance(Duration::milliseconds(1));
    let late = another().await;
    let answer = orphan.answer().await;
    assert_eq!(answer["status"], json!("interrupted"));
    assert!(answer["error"].as_str().unwrap().contains("interrupted"), "{answer}");
    let usage = orphan.owner.get("/internal/apps/1/usage").send().await.expect(200);
    assert_eq!((&usage["totals"]["turns"], &usage["totals"]["failed"]), (&json!(1), &json!(1)));
    early.stop();
    late.stop();
}

#[tokio::test]
async fn two_that_notice_at_once_end_it_once() {
    let orphan = Orphan::make().await;
    let clock = omni_testkit::ManualClock::at(orphan.api.clock().now() + Duration::minutes(1));
    let another = || TestApi::builder().database(orphan.database()).clock(&clock).start();
    let replicas = tokio::join!(another(), another(), another());
    assert_eq!(orphan.answer().await["status"], json!("interrupted"));
    let usage = orphan.owner.get("/internal/apps/1/usage").send().await.expect(200);
    assert_eq!(usage["totals"]["turns"], json!(1));
    drop(replicas);
}

#[tokio::test]
async fn one_that_was_only_slow_does_not_overwrite_the_end() {
    let orphan = Orphan::make().await;
    let clock = omni_testkit::ManualClock::at(orphan.api.clock().now() + Duration::minutes(1));
    let replica = TestApi::builder().database(orphan.database()).clock(&clock).start().await;
    let ended = orphan.answer().await;
    // The process that ran it wakes up, and is told to stop the turn: for the database that is over already.
    let turn = format!("/internal/agents/{}/turns/{}", orphan.metadata["agent_id"], orphan.metadata["turn_id"]);
    orphan.owner.delete(&turn).send().await.expect(200);
    let events = orphan.owner.get(&format!("{turn}/events")).stream().await.rest().await;
    assert_eq!(events.last().unwrap().kind(), "error");
    assert_eq!(orphan.answer().await, ended);
    let usage = orphan.owner.get("/internal/apps/1/usage").send().await.expect(200);
    assert_eq!(usage["totals"]["turns"], json!(1));
    replica.stop();
}

#[tokio::test]
async fn a_replica_that_starts_leaves_the_turns_of_the_living_alone() {
    let api = TestApi::start().await;
    let model = ScriptedModel::start().await.unwrap();
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let agent = owner.create_scripted_agent(app, &model, "tokens-20-10ms").await;
    let stream = owner.chat(agent, "Count").await;
    let replica = TestApi::builder().database(api.database()).clock(api.clock()).start().await;
    let events = stream.rest().await;
    assert_eq!(events.last().unwrap().kind(), "done");
    let history = replica.client("owner@example.com").await.history(&events[0].data["conversation_id"]).await;
    assert_eq!(history[1]["status"], json!("complete"));
}
