//! The audit trail: who did what to which thing, from what to what, from where; what was refused; and that nobody has
//! rewritten it.

use omni_domain::Clock;
use omni_testkit::{Cast, Client, TestApi, eventually};
use serde_json::{Value, json};

async fn trail(client: &Client, app: i64, query: &str) -> Vec<Value> {
    let path = format!("/internal/apps/{app}/audit?per_page=100&{query}");
    client.get(&path).send().await.expect(200)["items"].as_array().unwrap().clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_is_kept_with_who_what_from_to_and_where() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let agent = cast.editor.create_agent(cast.app, "Support", None).await;
    let change = json!({ "name": "Sales", "temperature": 0.5 });
    let path = format!("/internal/agents/{agent}");
    cast.editor.put(&path).json(&change).header("x-request-id", "an-id-of-mine-1").send().await.expect(200);

    let entries = trail(&cast.owner, cast.app, "").await;
    assert_eq!(actions(&entries), ["agent.update", "agent.create", "app.create"]);
    let entry = &entries[0];
    assert_eq!(entry["actor"], json!({ "user_id": cast.editor.user_id, "key_id": null, "name": cast.editor.email }));
    assert_eq!(entry["outcome"], json!("done"));
    assert_eq!(entry["target"], json!({ "kind": "agent", "id": agent, "name": "Sales" }));
    assert_eq!(entry["changes"], json!({ "name": { "from": "Support", "to": "Sales" }, "temperature": { "to": 0.5 } }));
    let origin = &entry["origin"];
    assert_eq!((&origin["call"], &origin["request_id"]), (&json!(format!("PUT {path}")), &json!("an-id-of-mine-1")));
    assert_eq!(origin["address"], json!("127.0.0.1"));
    assert_eq!((&entry["app_id"], &entry["seq"]), (&json!(cast.app), &json!(3)));
    assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn every_kind_of_change_has_its_entry() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let ids = crate::scene::Ids::make(&cast.owner, cast.app).await;
    let owner = &cast.owner;
    let put = async |path: String, body: Value| owner.put(&path).json(&body).send().await.expect(200);
    put(format!("/internal/apps/{}", cast.app), json!({ "name": "Renamed" })).await;
    put(format!("/internal/ai_services/{}", ids.service), json!({ "api_key": "sk-canary-9999" })).await;
    let described = json!({ "description": "Described" });
    put(format!("/internal/embedding_services/{}", ids.embedding_service), described.clone()).await;
    put(format!("/internal/silos/{}", ids.silo), described.clone()).await;
    put(format!("/internal/repositories/{}", ids.repository), described).await;
    put(format!("/internal/folders/{}", ids.folder), json!({ "name": "Renamed" })).await;
    let file = format!("/internal/repositories/{}/files/{}", ids.repository, ids.file);
    put(file.clone(), json!({ "name": "renamed.txt" })).await;
    owner.post(&format!("{file}/retry")).send().await.expect(202);
    put(format!("/internal/collaboration/{}", ids.collaboration), json!({ "role": "viewer" })).await;
    cast.invited.put(&format!("/internal/collaboration/{}/accept", ids.collaboration)).send().await.expect(200);
    owner.post(&format!("/internal/agents/{}/reset", ids.agent)).send().await.expect(200);
    for path in [
        format!("/internal/conversations/{}", ids.conversation),
        format!("/internal/api_keys/{}", ids.key),
        format!("/internal/agents/{}", ids.agent),
        format!("/internal/ai_services/{}", ids.service),
        format!("/internal/folders/{}", ids.folder),
        file,
        format!("/internal/repositories/{}", ids.repository),
        format!("/internal/silos/{}", ids.silo),
        format!("/internal/embedding_services/{}", ids.embedding_service),
        format!("/internal/collaboration/{}", ids.collaboration),
    ] {
        owner.delete(&path).send().await.expect(200);
    }
    let entries = trail(owner, cast.app, "outcome=done").await;
    let mut found = actions(&entries);
    found.reverse();
    assert_eq!(
        found,
        [
            "app.create",
            "ai_service.create",
            "agent.create",
            "collaboration.invite",
            "api_key.create",
            "embedding_service.create",
            "silo.create",
            "repository.create",
            "folder.create",
            "file.create",
            "job.cancel",
            "silo.create",
            "document.create",
            "agent.update",
            "domain.create",
            "domain.crawl",
            "domain.create",
            "domain.crawl",
            "job.cancel",
            "domain_url.add",
            "app.update",
            "ai_service.update",
            "embedding_service.update",
            "silo.update",
            "repository.update",
            "folder.update",
            "file.update",
            "file.retry",
            "collaboration.change_role",
            "collaboration.accept",
            "conversation.reset",
            "conversation.delete",
            "api_key.revoke",
            "agent.delete",
            "ai_service.delete",
            "folder.delete",
            "file.delete",
            "repository.delete",
            "silo.delete",
            "embedding_service.delete",
            "collaboration.remove",
        ]
    );
    let told = serde_json::to_string(&entries).unwrap();
    assert!(told.contains("****9999") && !told.contains("sk-canary"), "{told}");

    owner.delete(&format!("/internal/apps/{}", cast.app)).send().await.expect(200);
    owner.get(&format!("/internal/apps/{}/audit", cast.app)).send().await.refusal(404);
    let path = format!("/internal/admin/audit?app_id={}&action=app.delete", cast.app);
    let last = cast.omniadmin.get(&path).send().await.expect(200);
    assert_eq!(last["items"][0]["target"]["name"], json!("Renamed"), "the trail outlives its app");
}

#[tokio::test]
async fn what_is_refused_is_kept_too_and_cannot_fill_the_disk() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let path = format!("/internal/apps/{}", cast.app);
    cast.viewer.put(&path).json(&json!({ "name": "Mine" })).send().await.refusal(403);
    cast.neighbour.get(&path).send().await.refusal(404);
    let entries = refusals(&cast, 2).await;
    assert_eq!(actions(&entries), [format!("GET {path}"), format!("PUT {path}")]);
    let told = |entry: &Value| (entry["actor"]["name"].clone(), entry["reason"].clone());
    assert_eq!(told(&entries[0]), (json!(cast.neighbour.email), json!("not_found")));
    assert_eq!(told(&entries[1]), (json!(cast.viewer.email), json!("role_too_low")));
    for _ in 0..40 {
        cast.neighbour.get(&path).send().await.refusal(404);
    }
    cast.viewer.put(&path).json(&json!({ "name": "Mine" })).send().await.refusal(403);
    // What comes last is written last: of the neighbour's there are no more to come.
    let entries = refusals(&cast, 32).await;
    assert_eq!(entries.len(), 32);
    assert_eq!(told(&entries[0]), (json!(cast.viewer.email), json!("role_too_low")));
    cast.viewer.get("/internal/admin/users").send().await.refusal(403);
    let seen = platform_refusal(&cast.omniadmin, "GET+/internal/admin/users").await;
    assert_eq!(seen["app_id"], json!(null));
}

/// The refusals in the trail of the cast's app once there are so many: they are written after they were answered.
async fn refusals(cast: &Cast, count: usize) -> Vec<Value> {
    eventually("the refusals are written", async || {
        let entries = trail(&cast.owner, cast.app, "outcome=refused").await;
        (entries.len() >= count).then_some(entries)
    })
    .await
}

/// The latest refusal of an act above all apps.
async fn platform_refusal(operator: &Client, action: &str) -> Value {
    eventually("the refusal is written", async || {
        let path = format!("/internal/admin/audit?outcome=refused&action={action}");
        let seen = operator.get(&path).send().await.expect(200)["items"][0].clone();
        (!seen.is_null()).then_some(seen)
    })
    .await
}

#[tokio::test]
async fn every_kind_of_refusal_is_kept() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let told = |entry: &Value| (entry["actor"]["user_id"].clone(), entry["reason"].clone());
    // Who asks to give what is not theirs to give.
    let invite = format!("/internal/collaboration/apps/{}/invite", cast.app);
    let body = |role: &str| json!({ "email": "new@example.com", "role": role });
    for role in ["owner", "omniadmin", "viewerr"] {
        cast.administrator.post(&invite).json(&body(role)).send().await.refusal(400);
    }
    let entries = refusals(&cast, 2).await;
    assert_eq!(actions(&entries), [format!("POST {invite}"), format!("POST {invite}")], "and no slip of the pen");
    assert_eq!(told(&entries[0]), (json!(cast.administrator.user_id), json!("role_not_grantable")));
    // Another site's page, with the cookie of somebody who is signed in; without one it is nobody.
    let foreign = async |client: &Client| {
        client.post("/internal/apps").header("sec-fetch-site", "cross-site").json(&json!({ "name": "A" })).send().await
    };
    foreign(&api.anonymous()).await.refusal(403);
    foreign(&cast.owner).await.refusal(403);
    let seen = platform_refusal(&cast.omniadmin, "POST+/internal/apps").await;
    assert_eq!(told(&seen), (json!(cast.owner.user_id), json!("cross_site_request")));
    // An account that is shut, by a session that is still there.
    let shut = format!("UPDATE users SET is_active = false WHERE user_id = {}", cast.viewer.user_id);
    api.database().sql().await.batch_execute(&shut).await.unwrap();
    cast.viewer.get("/internal/me").send().await.refusal(403);
    let seen = platform_refusal(&cast.omniadmin, "GET+/internal/me").await;
    assert_eq!(told(&seen), (json!(cast.viewer.user_id), json!("account_deactivated")));
}

#[tokio::test]
async fn it_can_be_searched_and_read_by_page() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    for name in ["one", "two", "three"] {
        cast.editor.create_agent(cast.app, name, None).await;
        api.clock().advance(time::Duration::hours(1));
    }
    let owner = &cast.owner;
    assert_eq!(trail(owner, cast.app, "action=agent.").await.len(), 3);
    assert_eq!(trail(owner, cast.app, "action=agent.create").await.len(), 3);
    assert_eq!(trail(owner, cast.app, "action=agent").await.len(), 0);
    assert_eq!(trail(owner, cast.app, &format!("actor_id={}", cast.owner.user_id)).await.len(), 1);
    let two_hours_ago = api.clock().now() - time::Duration::hours(2);
    let since = two_hours_ago.format(&time::format_description::well_known::Rfc3339).unwrap();
    assert_eq!(trail(owner, cast.app, &format!("since={since}")).await.len(), 2, "{since}");
    assert_eq!(trail(owner, cast.app, &format!("until={since}")).await.len(), 2, "{since}");
    let page = owner.get(&format!("/internal/apps/{}/audit?per_page=2&page=2", cast.app)).send().await.expect(200);
    assert_eq!((&page["total"], &page["pages"], page["items"].as_array().unwrap().len()), (&json!(4), &json!(2), 2));
    // The last one is of the year 10000 where it is UTC.
    for (query, field) in [
        ("outcome=maybe", "outcome"),
        ("since=yesterday", "since"),
        ("until=1", "until"),
        ("since=9999-12-31T23:59:59-01:00", "since"),
    ] {
        let refused = owner.get(&format!("/internal/apps/{}/audit?{query}", cast.app)).send().await.refusal(400);
        assert!(refused.starts_with(field), "{refused}");
    }
}

#[tokio::test]
async fn nothing_of_it_can_be_rewritten_by_a_slip() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    for name in ["one", "two", "three"] {
        cast.editor.create_agent(cast.app, name, None).await;
    }
    let check = async || {
        let path = format!("/internal/apps/{}/audit/verification", cast.app);
        cast.owner.get(&path).send().await.expect(200)
    };
    let whole = check().await;
    assert_eq!((&whole["intact"], &whole["entries"], &whole["last"]), (&json!(true), &json!(4), &json!(4)));
    let sql = api.database().sql().await;
    for statement in ["UPDATE audit_entries SET action = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"] {
        let refused = sql.batch_execute(statement).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("append-only"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn each_way_of_rewriting_is_found_out() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    for name in ["one", "two", "three"] {
        cast.editor.create_agent(cast.app, name, None).await;
    }
    let (sql, app) = (api.database().sql().await, cast.app);
    sql.batch_execute("CREATE TABLE kept AS SELECT * FROM audit_entries").await.unwrap();
    let check = async || {
        let path = format!("/internal/apps/{app}/audit/verification");
        cast.owner.get(&path).send().await.expect(200)
    };
    for (forgery, at) in [
        (format!("UPDATE audit_entries SET entry = replace(entry, 'two', 'ten') WHERE chain = {app}"), 3),
        (format!("UPDATE audit_entries SET action = 'agent.read' WHERE chain = {app} AND seq = 2"), 2),
        (format!("UPDATE audit_entries SET refused = true WHERE chain = {app} AND seq = 2"), 2),
        (format!("UPDATE audit_entries SET actor_id = 7 WHERE chain = {app} AND seq = 4"), 4),
        (format!("DELETE FROM audit_entries WHERE chain = {app} AND seq = 4"), 4),
        (format!("DELETE FROM audit_entries WHERE chain = {app} AND seq = 2"), 2),
        (format!("DELETE FROM audit_entries WHERE chain = {app} AND seq = 1"), 1),
        (format!("DELETE FROM audit_entries WHERE chain = {app}"), 1),
    ] {
        let with_leave = |statement: &str| format!("BEGIN; SET LOCAL omni.audit_retention = 'on'; {statement}; COMMIT");
        sql.batch_execute(&with_leave(&forgery)).await.unwrap();
        let found = check().await;
        assert_eq!((&found["intact"], &found["broken_at"]), (&json!(false), &json!(at)), "{forgery}");
        let restore = "DELETE FROM audit_entries; INSERT INTO audit_entries SELECT * FROM kept";
        sql.batch_execute(&with_leave(restore)).await.unwrap();
        assert_eq!(check().await["intact"], json!(true));
    }
}

#[tokio::test]
async fn what_is_older_than_the_retention_goes_and_the_rest_can_still_be_checked() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    cast.editor.create_agent(cast.app, "old", None).await;
    api.clock().advance(time::Duration::days(40));
    let (owner, editor) = (cast.owner.again().await, cast.editor.again().await);
    editor.create_agent(cast.app, "new", None).await;
    let leave = omni_rbac::SystemGrant::because("a test of the retention");
    let store = api.database().store();
    let before = api.clock().now() - time::Duration::days(30);
    assert!(store.forget_audit(&leave, before).await.unwrap() > 2);
    assert_eq!(store.forget_audit(&leave, before).await.unwrap(), 0);
    let entries = trail(&owner, cast.app, "").await;
    assert_eq!((actions(&entries), &entries[0]["seq"]), (vec!["agent.create"], &json!(3)));
    let check = owner.get(&format!("/internal/apps/{}/audit/verification", cast.app)).send().await.expect(200);
    assert_eq!((&check["intact"], &check["entries"], &check["first"]), (&json!(true), &json!(1), &json!(3)));
    editor.create_agent(cast.app, "newer", None).await;
    let check = owner.get(&format!("/internal/apps/{}/audit/verification", cast.app)).send().await.expect(200);
    assert_eq!((&check["intact"], &check["last"]), (&json!(true), &json!(4)));
}

/// The one that forgets less has read the trail before the other one was done, and writes after it.
#[tokio::test]
async fn two_that_forget_at_the_same_time_leave_a_chain_that_can_be_checked() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let less = api.clock().now() + time::Duration::hours(1);
    api.clock().advance(time::Duration::hours(2));
    cast.editor.create_agent(cast.app, "old", None).await;
    api.clock().advance(time::Duration::hours(2));
    let more = api.clock().now() - time::Duration::hours(1);
    cast.editor.create_agent(cast.app, "new", None).await;
    let sql = api.database().sql().await;
    let forget = format!("BEGIN; SET LOCAL omni.app = '*'; SELECT omni_forget_audit('{more}')");
    sql.batch_execute(&forget).await.unwrap();
    let leave = omni_rbac::SystemGrant::because("a test of the retention");
    let store = api.database().store();
    let (forgotten, ()) = tokio::join!(store.forget_audit(&leave, less), sql.commit_once_waited_for());
    forgotten.unwrap();
    let path = format!("/internal/apps/{}/audit/verification", cast.app);
    let check = cast.owner.get(&path).send().await.expect(200);
    assert_eq!((&check["intact"], &check["entries"], &check["first"]), (&json!(true), &json!(1), &json!(3)), "{check}");
}

#[tokio::test]
async fn a_hundred_writers_make_one_chain() {
    let api = TestApi::start().await;
    let cast = Cast::gather(&api).await;
    let make = |number: usize| {
        let editor = cast.editor.clone();
        async move { editor.create_agent(cast.app, &format!("agent {number}"), None).await }
    };
    futures::future::join_all((0..100).map(make)).await;
    let check = cast.owner.get(&format!("/internal/apps/{}/audit/verification", cast.app)).send().await.expect(200);
    assert_eq!((&check["intact"], &check["entries"]), (&json!(true), &json!(101)));
    let all = cast.omniadmin.get("/internal/admin/audit/verification").send().await.expect(200);
    assert_eq!(all["intact"], json!(true), "{all}");
}
