//! Things that happen at the same time: nobody's change is lost, no turn is stuck, and no limit gives way.

use std::time::{Duration, Instant};

use futures::future::join_all;
use omni_testkit::{Client, Events, TestApi};
use serde_json::{Value, json};

use crate::chat::Place;

async fn put(client: &Client, path: &str, body: Value) -> Value {
    client.put(path).json(&body).send().await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_changes_of_one_thing_both_hold() {
    let place = Place::open("tokens-1").await;
    let (agent, app) = (format!("/internal/agents/{}", place.agent), format!("/internal/apps/{}", place.app));
    for round in 0..25 {
        let (name, text) = (json!(format!("Agent {round}")), json!(format!("Description {round}")));
        let (one, other) = (json!({ "name": name }), json!({ "description": text }));
        tokio::join!(put(&place.owner, &agent, one), put(&place.owner, &agent, other));
        let now = place.owner.get(&agent).send().await.expect(200);
        assert_eq!((&now["name"], &now["description"]), (&name, &text));
        let (one, other) = (json!({ "name": name }), json!({ "agent_rate_limit": round + 100 }));
        tokio::join!(put(&place.owner, &app, one), put(&place.owner, &app, other));
        let now = place.owner.get(&app).send().await.expect(200);
        assert_eq!((&now["name"], &now["agent_rate_limit"]), (&name, &json!(round + 100)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_never_stays_with_the_old_address() {
    let place = Place::open("tokens-1").await;
    let service = format!("/internal/ai_services/{}", place.owner.create_service(place.app, &place.model, "m").await);
    for round in 0..25 {
        let url = format!("http://127.0.0.1:11434/v{round}");
        let moved = json!({ "base_url": url, "api_key": format!("sk-of-the-new-place-{round:04}") });
        let described = json!({ "description": format!("Round {round}") });
        tokio::join!(put(&place.owner, &service, moved), put(&place.owner, &service, described.clone()));
        let now = place.owner.get(&service).send().await.expect(200);
        assert_eq!((&now["base_url"], &now["api_key"]), (&json!(url), &json!(format!("****{round:04}"))));
        assert_eq!(now["description"], described["description"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_that_end_while_their_conversations_are_emptied_and_removed_leave_nothing_stuck() {
    let place = Place::open("tokens-1").await;
    let reset = format!("/internal/agents/{}/reset", place.agent);
    for _ in 0..6 {
        let asked = (0..6).map(async |_| place.owner.ask(place.agent, "Hello").await.status);
        let emptied = (0..6).map(async |_| place.owner.post(&reset).send().await.status);
        let removed = (0..3).map(async |_| {
            let known = place.owner.get("/internal/conversations?per_page=1").send().await.expect(200);
            let Some(id) = known["items"][0]["conversation_id"].as_i64() else { return 200 };
            place.owner.delete(&format!("/internal/conversations/{id}")).send().await.status
        });
        let (asked, emptied, removed) = tokio::join!(join_all(asked), join_all(emptied), join_all(removed));
        assert!(emptied.iter().all(|status| [200, 400].contains(status)), "{emptied:?}");
        assert!(removed.iter().all(|status| [200, 404].contains(status)), "{removed:?}");
        assert!(asked.iter().all(|status| [200, 400, 409].contains(status)), "{asked:?}");
    }
    assert!(!place.api.database().sql().await.any("SELECT FROM turns WHERE status = 'streaming'").await);
    let usage = place.usage().await;
    assert!(usage["totals"]["turns"].as_u64().unwrap() <= 36);
}

#[tokio::test]
async fn a_row_that_somebody_holds_keeps_no_other_turn_waiting() {
    let place = Place::open("tokens-1").await;
    let elsewhere = place.owner.create_app("Elsewhere").await;
    let other = place.owner.create_scripted_agent(elsewhere, &place.model, "tokens-1").await;
    let holder = place.api.database().sql().await;
    holder
        .batch_execute(&format!("BEGIN; SELECT FROM agents WHERE agent_id = {} FOR UPDATE", place.agent))
        .await
        .unwrap();
    // The rows of this turn's beginning refer to the agent and wait for it too; it begins when the agent is let go.
    let held = async { place.owner.ask(place.agent, "Hello").await };
    let free = async {
        let began = Instant::now();
        place.owner.ask(other, "Hello").await.expect(200);
        let took = began.elapsed();
        holder.batch_execute("COMMIT").await.unwrap();
        took
    };
    let (held, took) = tokio::join!(held, free);
    held.expect(200);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_end_that_the_database_refuses_once_is_stored_all_the_same() {
    let place = Place::open("tokens-3").await;
    let sql = place.api.database().sql().await;
    sql.batch_execute(
        "CREATE SEQUENCE tries; CREATE FUNCTION refuse_twice() RETURNS trigger LANGUAGE plpgsql AS $$ \
         BEGIN IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'not now'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER refuse BEFORE UPDATE ON turns FOR EACH ROW EXECUTE FUNCTION refuse_twice()",
    )
    .await
    .unwrap();
    let answer = place.owner.ask(place.agent, "Hello").await.expect(200);
    let history = place.owner.history(&answer["conversation_id"]).await;
    assert_eq!((&history[1]["content"], &history[1]["status"]), (&answer["response"], &json!("complete")));
}

#[tokio::test]
async fn an_answer_that_was_ended_elsewhere_is_not_called_done() {
    let place = Place::open("tokens-40-10ms").await;
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let turn = stream.next_of("metadata").await.data["turn_id"].clone();
    let sql = place.api.database().sql().await;
    sql.batch_execute(&format!("UPDATE turns SET status = 'interrupted' WHERE turn_id = {turn}")).await.unwrap();
    let last = stream.rest().await.pop().unwrap();
    assert_eq!((last.kind(), &last.data["code"]), ("error", &json!("not_kept")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_as_many_begin_as_the_app_takes_a_minute() {
    let place = Place::open("tokens-1").await;
    put(&place.owner, &format!("/internal/apps/{}", place.app), json!({ "agent_rate_limit": 3 })).await;
    let asked = join_all((0..20).map(async |_| place.owner.ask(place.agent, "Hello").await.status)).await;
    let answered = asked.iter().filter(|status| **status == 200).count();
    assert_eq!((answered, asked.iter().filter(|status| **status == 429).count()), (3, 17), "{asked:?}");
    // What is emptied or removed has been asked all the same.
    place.owner.post(&format!("/internal/agents/{}/reset", place.agent)).send().await.expect(200);
    place.owner.ask(place.agent, "Hello").await.refusal(429);
    let known = place.owner.get("/internal/conversations").send().await.expect(200);
    for one in known["items"].as_array().unwrap() {
        let path = format!("/internal/conversations/{}", one["conversation_id"]);
        place.owner.delete(&path).send().await.expect(200);
    }
    place.owner.ask(place.agent, "Hello").await.refusal(429);
    assert_eq!(place.usage().await["current_usage"], json!(3));
    place.api.clock().advance(time::Duration::seconds(60));
    place.owner.ask(place.agent, "Hello").await.expect(200);
}

/// A turn that has said three words and says no more.
async fn halfway(place: &Place) -> (Events, Value) {
    let mut stream = place.owner.chat(place.agent, "Count").await;
    let metadata = stream.next_of("metadata").await.data;
    for _ in 0..3 {
        stream.next_of("token").await;
    }
    (stream, metadata)
}

#[tokio::test]
async fn what_was_said_before_a_turn_was_stopped_or_emptied_is_counted() {
    let api = TestApi::start().await;
    let place = Place::over(api, "hang-after-3").await;
    let (stream, metadata) = halfway(&place).await;
    place
        .owner
        .delete(&format!("/internal/agents/{}/turns/{}", place.agent, metadata["turn_id"]))
        .send()
        .await
        .expect(200);
    stream.rest().await;
    let stopped = place.usage().await["totals"].clone();
    assert_eq!(stopped["turns"], json!(1));
    assert!(stopped["output_tokens"].as_u64().unwrap() > 0, "{stopped}");
    let (stream, _) = halfway(&place).await;
    place.owner.post(&format!("/internal/agents/{}/reset", place.agent)).send().await.expect(200);
    stream.rest().await;
    let emptied = place.usage().await["totals"].clone();
    assert_eq!(emptied["turns"], json!(2));
    assert_eq!(emptied["output_tokens"].as_u64().unwrap(), stopped["output_tokens"].as_u64().unwrap() * 2);
}
