//! PostgreSQL has no room left: what only reads goes on, what writes says so, and all is well when there is room again.

use omni_testkit::{Client, TestApi};
use serde_json::json;
use time::Duration;

/// Has every write of every table fail as PostgreSQL fails when its disk is full.
const FILL: &str = r#"
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/16384/16385": No space left on device' USING ERRCODE = 'disk_full';
END $$;
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TRIGGER no_room BEFORE INSERT OR UPDATE OR DELETE ON %I EXECUTE FUNCTION no_room()', name);
    END LOOP;
END $$"#;

async fn make(owner: &Client, app: i64) -> omni_testkit::Answer {
    owner.post(&format!("/internal/silos?app_id={app}")).json(&json!({ "name": "Knowledge" })).send().await
}

#[tokio::test]
async fn what_reads_goes_on_and_what_writes_says_why_it_cannot() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let agent = owner.create_agent(app, "Clerk", None).await;
    let conversation = owner.ask(agent, "Good morning").await.expect(200)["conversation_id"].clone();
    let sql = api.database().sql().await;
    sql.batch_execute(FILL).await.unwrap();
    let before = api.database().snapshot().await;

    // So much later that it would be noted that the session is in use.
    api.clock().advance(Duration::minutes(20));
    for path in [
        "/internal/auth/me".to_owned(),
        "/internal/apps".to_owned(),
        format!("/internal/agents?app_id={app}"),
        format!("/internal/silos?app_id={app}"),
        format!("/internal/conversations/{conversation}"),
        format!("/internal/apps/{app}/audit"),
    ] {
        owner.get(&path).send().await.expect(200);
    }
    let refused = make(&owner, app).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused}");
    let detail = refused.detail();
    assert!(!detail.contains("base/"), "nothing internal: {detail}");
    owner.ask(agent, "Are you there?").await.refusal(503);
    assert!(api.database().snapshot().await == before);

    sql.batch_execute("DROP FUNCTION no_room CASCADE").await.unwrap();
    make(&owner, app).await.expect(201);
    owner.ask(agent, "Are you there?").await.expect(200);
}
