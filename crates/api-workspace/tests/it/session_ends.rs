//! How a session ends: at once, on every replica, and without a row that stays.

use omni_domain::Clock;
use omni_rbac::SystemGrant;
use omni_testkit::{Client, TestApi};
use serde_json::json;
use time::Duration;

/// Two processes over one database, and a clock that both look at.
struct Replicas {
    here: TestApi,
    there: TestApi,
}

impl Replicas {
    async fn start() -> Self {
        let here = TestApi::builder().idle(Duration::minutes(30)).start().await;
        let there = TestApi::builder().database(here.database()).clock(here.clock()).idle(Duration::minutes(30));
        Self { there: there.start().await, here }
    }

    /// The same browser at the other process.
    fn across(&self, client: &Client) -> Client {
        self.there.anonymous().with_cookie(client.cookie())
    }

    async fn is_in(&self, client: &Client) -> [bool; 2] {
        let mut answers = [false; 2];
        for (answer, client) in answers.iter_mut().zip([client.clone(), self.across(client)]) {
            let status = client.get("/internal/me").send().await.status;
            assert!([200, 401].contains(&status), "{status}");
            *answer = status == 200;
        }
        answers
    }

    async fn rows(&self, client: &Client) -> i64 {
        let sql = self.here.database().sql().await;
        let count = format!("SELECT count(*) FROM sessions WHERE user_id = {}", client.user_id);
        sql.query_one(&count, &[]).await.unwrap().get(0)
    }

    /// What the node does from time to time.
    async fn sweep(&self) {
        let leave = SystemGrant::because("a test of sessions that are over");
        self.here.database().store().sweep_sessions(&leave, self.here.clock().now()).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_signs_out_or_is_signed_out_is_out_everywhere_at_once() {
    let replicas = Replicas::start().await;
    let operator = replicas.here.client("omniadmin@example.com").await;
    let ada = replicas.here.client("ada@example.com").await;
    assert_eq!(replicas.is_in(&ada).await, [true, true]);

    let elsewhere = ada.again().await;
    elsewhere.post("/internal/auth/logout").send().await.expect(200);
    assert_eq!((replicas.is_in(&elsewhere).await, replicas.rows(&ada).await), ([false, false], 1));

    let ends = operator.get("/internal/admin/audit?action=session.end").send().await.expect(200);
    let told = &ends["items"][0];
    assert_eq!((&told["actor"]["user_id"], &told["outcome"]), (&json!(ada.user_id), &json!("done")), "{ends}");
    assert_eq!(told["origin"]["address"], "127.0.0.1");

    let stolen = ada.again().await;
    let known = ada.get("/internal/auth/sessions").send().await.expect(200);
    let other = known.as_array().unwrap().iter().find(|session| session["is_current"] == false).unwrap();
    replicas.across(&ada).delete(&format!("/internal/auth/sessions/{}", other["session_id"])).send().await.expect(200);
    assert_eq!((replicas.is_in(&stolen).await, replicas.rows(&ada).await), ([false, false], 1));
    assert_eq!(replicas.is_in(&ada).await, [true, true]);

    let account = format!("/internal/admin/users/{}", ada.user_id);
    replicas.across(&operator).put(&account).json(&json!({ "is_active": false })).send().await.expect(200);
    assert_eq!((replicas.is_in(&ada).await, replicas.rows(&ada).await), ([false, false], 0));

    let bob = replicas.here.client("bob@example.com").await;
    let account = format!("/internal/admin/users/{}", bob.user_id);
    replicas.across(&operator).delete(&account).send().await.expect(200);
    assert_eq!((replicas.is_in(&bob).await, replicas.rows(&bob).await), ([false, false], 0));
}

#[tokio::test]
async fn half_an_hour_of_silence_ends_a_session() {
    let replicas = Replicas::start().await;
    let ada = replicas.here.client("ada@example.com").await;
    replicas.here.clock().advance(Duration::minutes(30) - Duration::seconds(1));
    // Both keep it alive, whichever is asked.
    assert_eq!(replicas.across(&ada).get("/internal/me").send().await.status, 200);
    replicas.here.clock().advance(Duration::minutes(30) - Duration::seconds(1));
    assert_eq!(replicas.is_in(&ada).await, [true, true]);
    replicas.here.clock().advance(Duration::minutes(30));
    assert_eq!(replicas.is_in(&ada).await, [false, false]);
    replicas.sweep().await;
    assert_eq!(replicas.rows(&ada).await, 0);
}

#[tokio::test]
async fn twelve_hours_end_a_session_however_busy_it_is() {
    let replicas = Replicas::start().await;
    let ada = replicas.here.client("ada@example.com").await;
    let steps = 12 * 60 / 20;
    for _ in 0..steps - 1 {
        replicas.here.clock().advance(Duration::minutes(20));
        assert_eq!(replicas.is_in(&ada).await, [true, true]);
    }
    replicas.here.clock().advance(Duration::minutes(20) - Duration::seconds(1));
    assert_eq!(replicas.is_in(&ada).await, [true, true]);
    replicas.here.clock().advance(Duration::seconds(1));
    assert_eq!(replicas.is_in(&ada).await, [false, false]);
    replicas.sweep().await;
    assert_eq!(replicas.rows(&ada).await, 0);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_sessions_and_one_that_comes_back_revives_none_that_was_swept() {
    let replicas = Replicas::start().await;
    let ada = replicas.here.client("ada@example.com").await;
    replicas.here.clock().advance(Duration::hours(13));
    assert_eq!(replicas.is_in(&ada).await, [false, false]);
    replicas.sweep().await;
    assert_eq!(replicas.rows(&ada).await, 0);
    replicas.here.clock().advance(-Duration::hours(13));
    assert_eq!(replicas.is_in(&ada).await, [false, false]);
}
