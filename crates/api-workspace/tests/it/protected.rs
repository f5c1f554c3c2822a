//! Fields that are not the caller's to write: whatever a body says of them, what is stored does not.
//!
//! Each body of the table is sent as its example has it, and with everything in it that the endpoint does not say it reads.
//! What is planted so is a value that nothing has by itself; after the call no column of that name has it anywhere.

use std::collections::BTreeMap;

use omni_testkit::{Cast, Connection, TestApi};
use serde_json::{Map, Value, json};

use crate::openapi::Document;
use crate::scene::{Ids, Route, call_at, changing, name, performer, target};

/// A moment in which nothing of the play happens.
const LONG_AGO: &str = "1999-12-31T00:00:00+00:00";
const DIGEST: &str = "\\xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What a greedy client sends besides. `theirs` are the things of another tenant.
fn planted(theirs: Ids, neighbour: i64) -> Map<String, Value> {
    let moments = [
        "create_date",
        "update_date",
        "created_at",
        "updated_at",
        "invited_at",
        "accepted_at",
        "last_used_at",
        "last_seen",
        "expires",
        "finish_date",
        "day",
        "minute",
        "began",
    ];
    let texts = [
        "slug",
        "email",
        "user_email",
        "title",
        "source",
        "content",
        "author",
        "key",
        "key_hash",
        "key_mask",
        "key_preview",
        "api_key_mask",
        "visibility",
        "detail",
        "action",
        "way",
        "user_agent",
        "address",
    ];
    let numbers = [
        "request_count",
        "turns",
        "failed",
        "input_tokens",
        "output_tokens",
        "used",
        "idle_seconds",
        "id",
        "message_id",
    ];
    let moments = moments.map(|field| (field, json!(LONG_AGO)));
    let texts = texts.map(|field| (field, json!("greedy@example.com")));
    let numbers = numbers.map(|field| (field, json!(777_777)));
    let things = [
        ("app_id", theirs.app),
        ("agent_id", theirs.agent),
        ("service_id", theirs.service),
        ("conversation_id", theirs.conversation),
        ("turn_id", theirs.turn),
        ("collab_id", theirs.collaboration),
        ("key_id", theirs.key),
        ("session_id", theirs.session),
        ("user_id", neighbour),
        ("owner_id", neighbour),
        ("created_by", neighbour),
        ("invited_by", neighbour),
    ];
    let words = [
        ("role", json!("administrator")),
        ("status", json!("declined")),
        ("is_omniadmin", json!(true)),
        ("is_active", json!(false)),
        ("email_verified", json!(false)),
        ("key_digest", json!(DIGEST)),
        ("api_key_sealed", json!(DIGEST)),
    ];
    let things = things.map(|(field, id)| (field, json!(id)));
    let all = moments.into_iter().chain(texts).chain(numbers).chain(things).chain(words);
    all.map(|(field, value)| (field.to_owned(), value)).collect()
}

/// Every column of a name that is planted, as `table.column`.
async fn columns(sql: &Connection, planted: &Map<String, Value>) -> Vec<(String, String)> {
    let rows = sql
        .query(
            "SELECT c.table_name::text, c.column_name::text FROM information_schema.columns c \
             JOIN information_schema.tables t USING (table_schema, table_name) \
             WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE 'audit%'",
            &[],
        )
        .await
        .unwrap();
    let known = rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, String>(1)));
    known.filter(|(_, column)| planted.contains_key(column)).collect()
}

/// In how many rows each of the columns has the planted value.
async fn grown(sql: &Connection, columns: &[(String, String)], planted: &Map<String, Value>) -> BTreeMap<String, i64> {
    let counts: Vec<String> = columns
        .iter()
        .map(|(table, column)| {
            let value = &planted[column];
            format!(
                "SELECT '{table}.{column}', count(*) FROM \"{table}\" t WHERE to_jsonb(t) -> '{column}' = '{value}'::jsonb"
            )
        })
        .collect();
    let rows = sql.query(&counts.join(" UNION ALL "), &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The example with all that the endpoint does not say it reads.
fn greedy(document: &Document, route: &Route, planted: &Map<String, Value>) -> (Value, Vec<String>) {
    let read: Vec<String> = document.fields(route).into_iter().map(|(field, ..)| field).collect();
    let mut body = route.example().body.unwrap();
    for (field, value) in planted.iter().filter(|(field, _)| !read.contains(field)) {
        body[field] = value.clone();
    }
    (body, read)
}

#[tokio::test]
async fn what_is_not_the_callers_to_write_is_not_written() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let theirs = Ids::make(&cast.neighbour, cast.other_app).await;
    let document = Document::of(&api).await;
    let planted = planted(theirs, cast.neighbour.user_id);
    let sql = api.database().sql().await;
    sql.batch_execute("SET TIME ZONE 'UTC'").await.unwrap();
    let columns = columns(sql, &planted).await;
    assert!(columns.len() > 60, "only {} columns are watched", columns.len());
    let mut sent = 0;
    for route in changing().filter(|route| route.example().body.is_some()) {
        let ids = Ids::make(&cast.owner, cast.another_app(&api).await).await;
        let client = performer(&api, &cast.owner, route, ids).await;
        let (body, read) = greedy(&document, route, &planted);
        // What the endpoint reads may come to be what is planted elsewhere.
        let watched: Vec<_> = columns.iter().filter(|(_, column)| !read.contains(column)).cloned().collect();
        let before = grown(sql, &watched, &planted).await;
        let call = client.request(route.method.as_str(), &target(route, ids)).header("accept", "application/json");
        let answer = call.json(&body).send().await;
        assert!(answer.status == route.success || answer.status == 400, "{}: {answer}", name(route));
        let mut grown = grown(sql, &watched, &planted).await;
        grown.retain(|column, count| before[column] != *count);
        assert!(grown.is_empty(), "{} stored what was planted in {grown:?}", name(route));
        for (field, value) in planted.iter().filter(|(field, _)| !read.contains(field)) {
            assert_ne!(answer.json().get(field), Some(value), "{} gives {field} back", name(route));
        }
        sent += 1;
    }
    assert!(sent >= 12, "only {sent} bodies were sent");
}

#[tokio::test]
async fn what_would_be_written_would_be_seen() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let theirs = Ids::make(&cast.neighbour, cast.other_app).await;
    let ours = Ids::make(&cast.owner, cast.app).await;
    let planted = planted(theirs, cast.neighbour.user_id);
    let sql = api.database().sql().await;
    sql.batch_execute("SET TIME ZONE 'UTC'").await.unwrap();
    let columns = columns(sql, &planted).await;
    let before = grown(sql, &columns, &planted).await;
    for (column, statement) in [
        ("apps.owner_id", format!("UPDATE apps SET owner_id = {} WHERE app_id = {}", cast.neighbour.user_id, ours.app)),
        ("apps.slug", format!("UPDATE apps SET slug = 'greedy@example.com' WHERE app_id = {}", ours.app)),
        ("agents.create_date", format!("UPDATE agents SET create_date = '{LONG_AGO}' WHERE agent_id = {}", ours.agent)),
        ("agents.request_count", format!("UPDATE agents SET request_count = 777777 WHERE agent_id = {}", ours.agent)),
        ("api_keys.key_digest", format!("UPDATE api_keys SET key_digest = '{DIGEST}' WHERE key_id = {}", ours.key)),
        ("users.is_active", format!("UPDATE users SET is_active = false WHERE user_id = {}", cast.stranger.user_id)),
    ] {
        sql.batch_execute(&statement).await.unwrap();
        assert_eq!(grown(sql, &columns, &planted).await[column], before[column] + 1, "{column}");
    }
    // A call with nothing planted in it is seen to leave all of it alone, so the watch is on what is planted alone.
    let counted = grown(sql, &columns, &planted).await;
    let update = changing().find(|route| route.path == "/internal/agents/{agent_id}" && route.method.as_str() == "PUT");
    let update = update.unwrap();
    call_at(&cast.omniadmin, update, ours, &target(update, ours)).send().await.expect(200);
    assert_eq!(grown(sql, &columns, &planted).await, counted);
}
