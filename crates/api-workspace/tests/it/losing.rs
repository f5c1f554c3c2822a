//! Somebody loses their place in the middle of twenty calls and a stream: what they begin after that is refused, what they
//! read ends, and nothing of theirs is written any more.

use std::time::{Duration, Instant};

use futures::future::join_all;
use omni_domain::Role;
use omni_testkit::{Answer, Client, PATIENCE, TestApi, eventually};
use serde_json::json;
use tokio::sync::watch;

use crate::chat::Place;

const CALLS: usize = 20;

/// How somebody loses their place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Lowered,
    Removed,
    Deactivated,
    Deleted,
}

impl Fate {
    /// What they are told from then on.
    const fn told(self) -> u16 {
        match self {
            Self::Lowered => 403,
            Self::Removed => 404,
            // Their sessions are gone.
            Self::Deactivated | Self::Deleted => 401,
        }
    }

    async fn strike(self, place: &Place, operator: &Client, person: &Client) -> Answer {
        let collaborators = format!("/internal/collaboration/apps/{}/collaborators", place.app);
        let known = place.owner.get(&collaborators).send().await.expect(200);
        let id =
            known.as_array().unwrap().iter().find(|one| one["user_id"] == person.user_id).unwrap()["collab_id"].clone();
        let (membership, account) =
            (format!("/internal/collaboration/{id}"), format!("/internal/admin/users/{}", person.user_id));
        match self {
            Self::Lowered => place.owner.put(&membership).json(&json!({ "role": "user" })),
            Self::Removed => place.owner.delete(&membership),
            Self::Deactivated => operator.put(&account).json(&json!({ "is_active": false })),
            Self::Deleted => operator.delete(&account),
        }
        .send()
        .await
    }
}

/// One that makes agents until it is refused: how many it made, and the first refusal.
async fn busy(person: &Client, agents: &str, which: usize, made: &watch::Sender<usize>) -> (usize, Answer) {
    let mut own = 0;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let name = format!("{} {which}/{own}", person.email);
        let answer = person.post(agents).json(&json!({ "name": name })).send().await;
        if answer.status != 201 {
            return (own, answer);
        }
        own += 1;
        made.send_modify(|made| *made += 1);
        assert!(Instant::now() < deadline, "{} goes on", person.email);
    }
}

async fn agents_of(place: &Place, person: &Client) -> i64 {
    let sql = place.api.database().sql().await;
    let count = format!("SELECT count(*) FROM agents WHERE name LIKE '{} %'", person.email);
    sql.query_one(&count, &[]).await.unwrap().get(0)
}

async fn loses(place: &Place, fate: Fate) {
    let operator = place.api.client("omniadmin@example.com").await;
    let person = place.api.client(&format!("{fate:?}@example.com").to_lowercase()).await;
    place.api.make_member(place.app, &person, Role::Editor).await;
    let agents = format!("/internal/agents?app_id={}", place.app);
    let mut stream = person.chat(place.agent, "Count").await;
    stream.next_of("token").await;

    let (made, mut watching) = watch::channel(0);
    let calls = join_all((0..CALLS).map(|which| busy(&person, &agents, which, &made)));
    let strike = async {
        watching.wait_for(|made| *made >= 2 * CALLS).await.unwrap();
        fate.strike(place, &operator, &person).await.expect(200);
        let struck = Instant::now();
        // Whatever begins now is refused, at the first try.
        let after = join_all((0..CALLS).map(|_| person.post(&agents).json(&json!({ "name": "too late" })).send()));
        (struck, after.await)
    };
    let (ended, (struck, after)) = tokio::join!(calls, strike);
    assert!(struck.elapsed() < Duration::from_secs(5), "{fate:?}: calls were answered for {:?}", struck.elapsed());
    after.iter().for_each(|answer| drop(answer.refusal(fate.told())));
    for (_, refusal) in &ended {
        // One that was let in by its session may find the place gone a moment later.
        assert!([401, 403, 404].contains(&refusal.status), "{refusal}");
    }
    let rest = tokio::time::timeout(Duration::from_secs(5), stream.rest());
    let rest = rest.await.unwrap_or_else(|_| panic!("{fate:?}: the stream goes on"));
    assert_ne!(rest.last().map(|event| event.kind().to_owned()).as_deref(), Some("done"), "{fate:?}");
    eventually("the turn is over", async || {
        let running = format!("SELECT FROM turns WHERE status = 'streaming' AND user_id = {}", person.user_id);
        (!place.api.database().sql().await.any(&running).await).then_some(())
    })
    .await;

    // What was answered with success is there, and nothing else; and it stays like that.
    let answered: usize = ended.iter().map(|(made, _)| made).sum();
    assert_eq!(agents_of(place, &person).await, i64::try_from(answered).unwrap(), "{fate:?}");
    let settled = place.api.database().snapshot().await;
    for path in [agents.clone(), format!("/internal/agents/{}/chat", place.agent)] {
        let late = person.post(&path).json(&json!({ "name": "Late", "message": "Late" })).send().await;
        late.refusal(fate.told());
    }
    assert!(place.api.database().snapshot().await == settled, "{fate:?}: something was written afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_their_place_is_out_at_the_next_request() {
    let place = Place::over(TestApi::start().await, "hang-after-3").await;
    for fate in [Fate::Lowered, Fate::Removed, Fate::Deactivated, Fate::Deleted] {
        loses(&place, fate).await;
    }
}

/// An operator who renames somebody must not let them in again whom another one shuts out at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_shut_out_stays_out_whatever_else_changes_at_the_same_time() {
    let api = TestApi::start().await;
    let operator = api.client("omniadmin@example.com").await;
    for round in 0..25 {
        let person = api.client(&format!("person{round}@example.com")).await;
        let account = format!("/internal/admin/users/{}", person.user_id);
        let put = async |body| operator.put(&account).json(&body).send().await.expect(200);
        let renamed = format!("Renamed {round}");
        tokio::join!(
            put(json!({ "name": renamed })),
            put(json!({ "is_active": false })),
            put(json!({ "name": renamed }))
        );
        let now = operator.get(&account).send().await.expect(200);
        assert_eq!((&now["name"], &now["is_active"]), (&json!(renamed), &json!(false)), "round {round}");
    }
}

/// What is made in an app, or in somebody's name, while that is removed: it is told as if it had been removed before.
#[tokio::test]
async fn what_is_made_beside_a_removal_meets_no_failure_of_ours() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let sql = api.database().sql().await;
    let beside = async |removal: &str, path: &str, by: &Client, body: serde_json::Value| {
        // The removal is done and not committed yet: the request is let in, and waits for it with the last of its rows.
        sql.batch_execute(&format!("BEGIN; {removal}")).await.unwrap();
        let (answer, ()) = tokio::join!(by.post(path).json(&body).send(), sql.commit_once_waited_for());
        answer
    };
    for (kind, body) in [
        ("agents", json!({ "name": "A" })),
        ("ai_services", json!({ "name": "A", "provider": "local", "model": "local" })),
        ("embedding_services", json!({ "name": "A", "provider": "local" })),
        ("api_keys", json!({ "name": "A" })),
        ("silos", json!({ "name": "A" })),
        ("repositories", json!({ "name": "A" })),
        ("domains", json!({ "name": "A", "base_url": "http://127.0.0.1:9" })),
    ] {
        let app = owner.create_app("Ours").await;
        let removal = format!("DELETE FROM apps WHERE app_id = {app}");
        beside(&removal, &format!("/internal/{kind}?app_id={app}"), &owner, body).await.refusal(404);
    }
    let app = owner.create_app("Ours").await;
    let member = api.client("member@example.com").await;
    api.make_member(app, &member, Role::Editor).await;
    let domain = json!({ "name": "A", "base_url": "http://127.0.0.1:9" });
    let domain = owner.post(&format!("/internal/domains?app_id={app}")).json(&domain).send().await.expect(201);
    let removal = format!("DELETE FROM users WHERE user_id = {}", member.user_id);
    let crawl = format!("/internal/domains/{}/crawl", domain["domain_id"]);
    let job = beside(&removal, &crawl, &member, json!({})).await;
    assert!(job.refusal(409).contains("has just been removed"), "{job}");
    let silo =
        owner.post(&format!("/internal/silos?app_id={app}")).json(&json!({ "name": "B" })).send().await.expect(201);
    let removal = format!("DELETE FROM silos WHERE silo_id = {}", silo["silo_id"]);
    let text = json!({ "name": "A", "text": "A text." });
    let path = format!("/internal/silos/{}/documents", silo["silo_id"]);
    beside(&removal, &path, &owner, text).await.refusal(404);
}

/// Apps go from hand to hand while their heirs go, too: each has one owner at every moment, and nobody meets a failure of
/// ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_has_an_owner_though_its_heirs_go_at_the_same_time() {
    let api = TestApi::start().await;
    let operator = api.client("omniadmin@example.com").await;
    let last = api.client("last@example.com").await;
    for round in 0..15 {
        let (first, second) = (
            api.client(&format!("first{round}@example.com")).await,
            api.client(&format!("second{round}@example.com")).await,
        );
        let app = first.create_app("An heirloom").await;
        let gone = |whom: &Client, heir: &Client| {
            operator.delete(&format!("/internal/admin/users/{}?transfer_to={}", whom.user_id, heir.user_id)).send()
        };
        let (one, other) = tokio::join!(gone(&first, &second), gone(&second, &last));
        for answer in [&one, &other] {
            assert!([200, 409].contains(&answer.status), "{answer}");
        }
        let seen = operator.get(&format!("/internal/apps/{app}")).send().await.expect(200);
        let owner = seen["owner_id"].as_i64().unwrap();
        let account = operator.get(&format!("/internal/admin/users/{owner}")).send().await.expect(200);
        assert_eq!(account["is_active"], json!(true), "round {round}");
    }
}
