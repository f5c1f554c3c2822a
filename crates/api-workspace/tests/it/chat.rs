//! A turn from the question to the history.

use omni_scripted_model::{Script, ScriptedModel};
use omni_testkit::{Client, Event, TestApi};
use serde_json::{Value, json};

/// An app with an agent that answers by a script.
pub(crate) struct Place {
    pub(crate) api: TestApi,
    pub(crate) model: ScriptedModel,
    pub(crate) owner: Client,
    pub(crate) app: i64,
    pub(crate) agent: i64,
}

impl Place {
    pub(crate) async fn open(script: &str) -> Self {
        Self::over(TestApi::start().await, script).await
    }

    pub(crate) async fn over(api: TestApi, script: &str) -> Self {
        let model = ScriptedModel::start().await.unwrap();
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let agent = owner.create_scripted_agent(app, &model, script).await;
        Self { api, model, owner, app, agent }
    }

    pub(crate) fn chat(&self) -> String {
        format!("/internal/agents/{}/chat", self.agent)
    }

    /// The messages that the model was given with the latest request.
    fn given(&self) -> Vec<Value> {
        self.model.requests().last().unwrap().json()["messages"].as_array().unwrap().clone()
    }

    async fn ask(&self, body: Value) -> Value {
        self.owner.post(&self.chat()).header("accept", "application/json").json(&body).send().await.expect(200)
    }

    pub(crate) async fn usage(&self) -> Value {
        self.owner.get(&format!("/internal/apps/{}/usage", self.app)).send().await.expect(200)
    }
}

/// What the tokens say together.
pub(crate) fn said(events: &[Event]) -> String {
    events.iter().filter(|event| event.kind() == "token").filter_map(|event| event.data["content"].as_str()).collect()
}

fn kinds(events: &[Event]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().map(Event::kind).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn a_history_of_long_messages_comes_page_by_page() {
    let place = Place::open("says:short").await;
    let conversation = place.ask(json!({ "message": "Hello" })).await["conversation_id"].clone();
    for _ in 0..4 {
        place.ask(json!({ "message": "Again" })).await;
    }
    // Five questions and answers; of the answers each is a little more than a megabyte, and one more than fits at all.
    let sql = place.api.database().sql().await;
    let longer = "UPDATE messages SET content = repeat('x', 1100000) WHERE author = 'agent'; \
         UPDATE messages SET content = repeat('x', 5000000) WHERE message_id = \
         (SELECT min(message_id) FROM messages WHERE author = 'agent')";
    sql.batch_execute(longer).await.unwrap();
    let page = async |query: String| {
        let answer = place.owner.get(&format!("/internal/conversations/{conversation}{query}")).send().await;
        let page = answer.expect(200);
        let ids: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|m| m["message_id"].as_i64().unwrap()).collect();
        (ids, page["has_more"].as_bool().unwrap())
    };
    let before = |ids: &[i64]| format!("?before={}", ids[0]);
    let (latest, has_more) = page(String::new()).await;
    assert_eq!((latest.len(), has_more), (6, true), "a fourth answer would be too much");
    let (middle, has_more) = page(before(&latest)).await;
    assert_eq!((middle.len(), has_more), (2, true));
    let (alone, has_more) = page(before(&middle)).await;
    assert_eq!((alone.len(), has_more), (1, true), "one is always shown");
    let (first, has_more) = page(before(&alone)).await;
    assert_eq!((first.len(), has_more), (1, false));
    let all = [first, alone, middle, latest].concat();
    assert!(all.len() == 10 && all.is_sorted(), "{all:?}");
    assert_eq!(page("?limit=2".to_owned()).await, (all[8..].to_vec(), true));
    assert_eq!(page(before(&all)).await, (vec![], false));
}

#[tokio::test]
async fn a_turn_streams_in_order_and_is_stored() {
    let place = Place::open("tokens-25").await;
    let stream = place.owner.chat(place.agent, "Count for me").await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("cache-control"), Some("no-cache, no-store"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    assert!(stream.header("x-request-id").is_some());
    let events = stream.rest().await;

    assert_eq!(kinds(&events), ["metadata", "token", "usage", "done"]);
    assert!(events.iter().zip(1..).all(|(event, number)| event.id == number), "{events:?}");
    let expected: String = (0..25).map(|index| format!("t{index} ")).collect();
    assert_eq!(said(&events), expected);

    let (metadata, done) = (&events[0].data, &events.last().unwrap().data);
    assert_eq!((&metadata["agent_id"], &metadata["agent_name"]), (&json!(place.agent), &json!("tokens-25")));
    assert_eq!((&metadata["provider"], &metadata["model"]), (&json!("openai"), &json!("tokens-25")));
    assert_eq!((&done["response"], &done["finish_reason"]), (&json!(expected), &json!("stop")));
    for number in ["turn_id", "conversation_id", "message_id"] {
        assert_eq!(metadata[number], done[number], "{number}");
    }

    let history = place.owner.history(&done["conversation_id"]).await;
    assert_eq!((&history[0]["role"], &history[0]["content"]), (&json!("user"), &json!("Count for me")));
    assert_eq!((&history[1]["role"], &history[1]["content"]), (&json!("agent"), &json!(expected)));
    assert_eq!((&history[1]["status"], &history[1]["message_id"]), (&json!("complete"), &done["message_id"]));
}

#[tokio::test]
async fn the_same_turn_as_one_body() {
    let place = Place::open("says:forty-two").await;
    let answer = place.owner.ask(place.agent, "What is the answer?").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let answer = answer.expect(200);
    assert_eq!((&answer["response"], &answer["agent_name"]), (&json!("forty-two"), &json!("says:forty-two")));
    assert_eq!((&answer["agent_id"], &answer["finish_reason"]), (&json!(place.agent), &json!("stop")));
    assert!(answer["usage"]["output_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
    assert_eq!(place.owner.history(&answer["conversation_id"]).await.len(), 2);
}

#[tokio::test]
async fn thoughts_are_told_and_are_no_part_of_the_answer() {
    let place = Place::open("thinks-3").await;
    let events = place.owner.chat(place.agent, "Think").await.rest().await;
    assert_eq!(kinds(&events), ["metadata", "thinking", "token", "usage", "done"]);
    assert_eq!(events.last().unwrap().data["response"], json!(said(&events)));
}

#[tokio::test]
async fn an_answer_that_reached_its_limit_says_so() {
    let place = Place::open("length-3").await;
    assert_eq!(place.owner.ask(place.agent, "Hello").await.expect(200)["finish_reason"], json!("length"));
}

#[tokio::test]
async fn characters_that_arrive_in_pieces_are_whole() {
    let place = Place::open("drip-1ms").await;
    let events = place.owner.chat(place.agent, "Tel").await.rest().await;
    assert_eq!(said(&events), "één twee drie vier vijf");
}

#[tokio::test]
async fn a_nul_in_an_answer_becomes_what_stands_for_it() {
    let place = Place::open("nul").await;
    place.model.script("nul", Script::says("a\u{0}b"));
    let answer = place.owner.ask(place.agent, "Hello").await.expect(200);
    assert_eq!(answer["response"], json!("a\u{fffd}b"));
    assert_eq!(place.owner.history(&answer["conversation_id"]).await[1]["content"], json!("a\u{fffd}b"));
}

#[tokio::test]
async fn files_that_can_be_read_reach_the_model_and_others_are_named() {
    let place = Place::open("tokens-2").await;
    let form = place.owner.post(&place.chat()).form(
        &[("message", "What do these say?"), ("conversation_id", "null")],
        &[
            ("files", "notes.txt", b"the password is swordfish"),
            ("file", "../../etc/photo.png", b"\x89PNG\x0d\x0a\x1a\x0a\x00\xff"),
            ("files", "empty.txt", b""),
        ],
    );
    let events = form.stream().await.rest().await;
    let files = events[0].data["files"].as_array().unwrap();
    let read: Vec<_> = files.iter().map(|file| (file["filename"].as_str().unwrap(), file["read"] == true)).collect();
    assert_eq!(read.len(), 3);
    assert!(read[0] == ("notes.txt", true) && !read[1].1, "{read:?}");
    let given = place.given().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(given.contains("the password is swordfish") && given.contains("photo.png"), "{given}");
    let stored = place.owner.history(&events[0].data["conversation_id"]).await;
    let question = stored[0]["content"].as_str().unwrap();
    assert!(question.starts_with("What do these say?") && question.contains("[attached: notes.txt]"), "{question}");
}

#[tokio::test]
async fn a_conversation_goes_on_until_a_new_one_begins() {
    let place = Place::open("echo").await;
    let first = place.ask(json!({ "message": "My name is Ada" })).await;
    let second = place.ask(json!({ "message": "What is my name?" })).await;
    assert_eq!(first["conversation_id"], second["conversation_id"]);
    let given: Vec<_> = place.given().iter().map(|message| message["content"].clone()).collect();
    assert_eq!(given, ["My name is Ada", "My name is Ada", "What is my name?"]);

    let new = place.ask(json!({ "message": "Hello again", "new_conversation": true })).await;
    assert_ne!(new["conversation_id"], first["conversation_id"]);
    assert_eq!(place.given().len(), 1);

    let back = json!({ "message": "And now?", "conversation_id": first["conversation_id"] });
    assert_eq!(place.ask(back).await["conversation_id"], first["conversation_id"]);
    assert_eq!(place.given().len(), 5);
    let history = place.owner.history(&first["conversation_id"]).await;
    assert_eq!(history.len(), 6);
    assert!(history.is_sorted_by_key(|message| message["message_id"].as_i64()));
}

#[tokio::test]
async fn an_agent_without_memory_is_told_nothing_of_before() {
    let place = Place::open("echo").await;
    place.ask(json!({ "message": "one" })).await;
    let agent = format!("/internal/agents/{}", place.agent);
    place.owner.put(&agent).json(&json!({ "has_memory": false })).send().await.expect(200);
    place.ask(json!({ "message": "two" })).await;
    assert_eq!(place.given().len(), 1);
    place.owner.put(&agent).json(&json!({ "has_memory": true, "memory_max_messages": 2 })).send().await.expect(200);
    place.ask(json!({ "message": "three" })).await;
    assert_eq!(place.given().len(), 3);
}

#[tokio::test]
async fn a_conversation_with_another_agent_or_of_another_person_does_not_go_on_here() {
    let place = Place::open("echo").await;
    let mine = place.ask(json!({ "message": "Hello" })).await;
    let other_agent = place.owner.create_agent(place.app, "Other", None).await;
    let elsewhere = json!({ "message": "Hello", "conversation_id": mine["conversation_id"] });
    let before = place.api.database().snapshot().await;
    let wrong_agent = place.owner.post(&format!("/internal/agents/{other_agent}/chat")).json(&elsewhere).send().await;
    assert!(wrong_agent.refusal(400).starts_with("conversation_id: "));
    let viewer = place.api.client("viewer@example.com").await;
    place.api.make_member(place.app, &viewer, omni_domain::Role::Viewer).await;
    let before_viewer = viewer.post(&place.chat()).json(&elsewhere).send().await;
    assert!(before_viewer.refusal(400).starts_with("conversation_id: "));
    let both = json!({ "message": "a", "conversation_id": mine["conversation_id"], "new_conversation": true });
    assert!(place.owner.post(&place.chat()).json(&both).send().await.refusal(400).starts_with("new_conversation: "));
    let now = place.api.database().snapshot().await;
    for table in ["conversations", "turns", "messages"] {
        assert_eq!(now.rows(table), before.rows(table), "{table}");
    }
}

#[tokio::test]
async fn a_reset_empties_the_conversation() {
    let place = Place::open("echo").await;
    let reset = format!("/internal/agents/{}/reset", place.agent);
    let nothing = place.owner.post(&reset).send().await.expect(200);
    assert_eq!((&nothing["success"], &nothing["conversation_id"]), (&json!(true), &Value::Null));
    let first = place.ask(json!({ "message": "My name is Ada" })).await;
    let emptied = place.owner.post(&reset).json(&json!({})).send().await.expect(200);
    assert_eq!(emptied["conversation_id"], first["conversation_id"]);
    place.ask(json!({ "message": "What is my name?" })).await;
    assert_eq!(place.given().len(), 1, "the model was told of what had been reset");
}

#[tokio::test]
async fn what_turns_cost_is_counted() {
    let place = Place::open("tokens-10").await;
    assert_eq!(place.usage().await["totals"]["turns"], json!(0));
    let answer = place.owner.ask(place.agent, "Hello").await.expect(200);
    place.owner.ask(place.agent, "Hello").await.expect(200);
    let usage = place.usage().await;
    assert_eq!(usage["totals"]["turns"], json!(2));
    assert_eq!(usage["totals"]["failed"], json!(0));
    let day = &usage["days"][0];
    assert_eq!((&day["day"], &day["agent_id"]), (&json!("2026-01-15"), &json!(place.agent)));
    assert_eq!(day["output_tokens"].as_u64(), answer["usage"]["output_tokens"].as_u64().map(|tokens| tokens * 2));
    assert_eq!((&usage["stress_level"], &usage["remaining"]), (&json!("unlimited"), &json!(-1)));
    let agent = place.owner.get(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    assert_eq!(agent["request_count"], json!(2));
    place.owner.delete(&format!("/internal/agents/{}", place.agent)).send().await.expect(200);
    let after = place.usage().await;
    assert_eq!((&after["totals"]["turns"], &after["days"][0]["agent_id"]), (&json!(2), &Value::Null));
}

#[tokio::test]
async fn an_app_takes_so_many_turns_a_minute_and_says_when_the_next_one_is() {
    let place = Place::open("tokens-2").await;
    let app = format!("/internal/apps/{}", place.app);
    place.owner.put(&app).json(&json!({ "agent_rate_limit": 3 })).send().await.expect(200);
    for _ in 0..3 {
        place.owner.ask(place.agent, "Hello").await.expect(200);
    }
    let usage = place.usage().await;
    assert_eq!((&usage["current_usage"], &usage["remaining"]), (&json!(3), &json!(0)));
    assert_eq!((&usage["is_over_limit"], &usage["reset_in_seconds"]), (&json!(true), &json!(40)));
    let asked = place.model.tally().started;
    let refused = place.owner.ask(place.agent, "Hello").await;
    assert!(refused.refusal(429).contains("3 turns a minute"));
    assert_eq!(refused.header("retry-after"), Some("40"));
    assert_eq!(place.model.tally().started, asked);
    place.api.clock().advance(time::Duration::seconds(40));
    place.owner.ask(place.agent, "Hello").await.expect(200);
    place.owner.put(&app).json(&json!({ "agent_rate_limit": 0 })).send().await.expect(200);
    for _ in 0..5 {
        place.owner.ask(place.agent, "Hello").await.expect(200);
    }
}

#[tokio::test]
async fn the_built_in_model_answers_without_a_provider() {
    let place = Place::open("echo").await;
    let agent = place.owner.create_agent(place.app, "Local", None).await;
    let events = place.owner.chat(agent, "Hello").await.rest().await;
    assert_eq!(events[0].data["provider"], json!("local"));
    assert!(!said(&events).is_empty());
    assert_eq!(events.last().unwrap().kind(), "done");
}
