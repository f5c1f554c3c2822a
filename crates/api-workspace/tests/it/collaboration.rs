//! From an invitation to a place in an app, and out of it again.

use omni_testkit::{Cast, Client, TestApi};
use serde_json::{Value, json};

struct Place {
    api: TestApi,
    owner: Client,
    app: i64,
}

impl Place {
    async fn open() -> Self {
        let api = TestApi::start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        Self { api, owner, app }
    }

    async fn invite(&self, by: &Client, email: &str, role: &str) -> i64 {
        let call = by.post(&format!("/internal/collaboration/apps/{}/invite", self.app));
        let made = call.json(&json!({ "email": email, "role": role })).send().await.expect(201);
        made["collab_id"].as_i64().unwrap()
    }

    async fn collaborators(&self) -> Vec<Value> {
        let list = self.owner.get(&format!("/internal/collaboration/apps/{}/collaborators", self.app));
        list.send().await.expect(200).as_array().unwrap().clone()
    }

    async fn sees_app(&self, client: &Client) -> bool {
        client.get(&format!("/internal/apps/{}", self.app)).send().await.status == 200
    }
}

fn statuses(collaborators: &[Value]) -> Vec<(&str, &str, &str)> {
    fn text(value: &Value) -> &str {
        value.as_str().unwrap()
    }
    collaborators.iter().map(|one| (text(&one["user_email"]), text(&one["role"]), text(&one["status"]))).collect()
}

#[tokio::test]
async fn an_invitation_waits_for_somebody_who_has_never_signed_in() {
    let place = Place::open().await;
    let id = place.invite(&place.owner, " Bob@Example.com ", "editor").await;
    assert_eq!(statuses(&place.collaborators().await), [("bob@example.com", "editor", "pending")]);

    let bob = place.api.client("bob@example.com").await;
    assert!(!place.sees_app(&bob).await, "an invitation alone opens nothing");
    let waiting = bob.get("/internal/collaboration/invitations").send().await.expect(200);
    assert_eq!((&waiting[0]["collab_id"], &waiting[0]["app_name"]), (&json!(id), &json!("Our app")));
    assert_eq!(waiting[0]["invited_by_email"], json!("owner@example.com"));

    let known = |collaborators: &[Value]| collaborators[0]["user_name"].clone();
    assert_eq!(known(&place.collaborators().await), json!(null), "whose address it is, nobody learns by inviting it");

    let accepted = bob.put(&format!("/internal/collaboration/collaboration/{id}/accept")).send().await.expect(200);
    assert_eq!(known(&place.collaborators().await), json!("bob"));
    assert_eq!((&accepted["status"], &accepted["user_id"]), (&json!("accepted"), &json!(bob.user_id)));
    assert!(place.sees_app(&bob).await);
    assert_eq!(bob.get("/internal/collaboration/invitations").send().await.expect(200), json!([]));
    let apps = bob.get("/internal/apps").send().await.expect(200);
    assert_eq!((&apps[0]["app_id"], &apps[0]["role"]), (&json!(place.app), &json!("editor")));
    for answer in ["accept", "decline"] {
        let again = bob.put(&format!("/internal/collaboration/{id}/{answer}")).send().await;
        assert_eq!(again.refusal(409), "this invitation has been answered or taken back");
    }
}

#[tokio::test]
async fn who_declines_can_be_invited_again() {
    let place = Place::open().await;
    let bob = place.api.client("bob@example.com").await;
    let id = place.invite(&place.owner, "bob@example.com", "viewer").await;
    bob.put(&format!("/internal/collaboration/{id}/decline")).send().await.expect(200);
    assert!(!place.sees_app(&bob).await);
    let change = place.owner.put(&format!("/internal/collaboration/{id}")).json(&json!({ "role": "editor" }));
    change.send().await.refusal(409);
    assert_eq!(place.invite(&place.owner, "bob@example.com", "administrator").await, id);
    bob.put(&format!("/internal/collaboration/{id}/accept")).send().await.expect(200);
    assert_eq!(statuses(&place.collaborators().await), [("bob@example.com", "administrator", "accepted")]);
}

#[tokio::test]
async fn nobody_is_invited_twice_and_never_the_owner() {
    let place = Place::open().await;
    place.invite(&place.owner, "bob@example.com", "viewer").await;
    let invite = |email: &str| {
        let call = place.owner.post(&format!("/internal/collaboration/apps/{}/invite", place.app));
        call.json(&json!({ "email": email })).send()
    };
    for email in ["BOB@example.com", "owner@example.com"] {
        assert!(invite(email).await.refusal(409).starts_with("email: "));
    }
    assert_eq!(place.collaborators().await.len(), 1);
}

#[tokio::test]
async fn nobody_gives_a_role_above_their_own_nor_one_that_is_not_given() {
    let place = Place::open().await;
    let cast = Cast::gather(&place.api).await;
    let invite = |by: &Client, role: &str| {
        let call = by.post(&format!("/internal/collaboration/apps/{}/invite", cast.app));
        call.json(&json!({ "email": "new@example.com", "role": role })).send()
    };
    for role in ["owner", "omniadmin", "guest", "king", ""] {
        for by in [&cast.administrator, &cast.owner, &cast.omniadmin] {
            assert!(invite(by, role).await.refusal(400).starts_with("role: "), "{role}");
        }
    }
    let made = invite(&cast.administrator, "administrator").await.expect(201);
    let change = |role: &str| {
        let call = cast.owner.put(&format!("/internal/collaboration/{}", made["collab_id"]));
        call.json(&json!({ "role": role })).send()
    };
    assert!(change("owner").await.refusal(400).starts_with("role: "));
    assert_eq!(change("viewer").await.expect(200)["role"], json!("viewer"));
}

#[tokio::test]
async fn a_new_role_counts_from_the_next_request_and_so_does_a_removal() {
    let place = Place::open().await;
    let bob = place.api.client("bob@example.com").await;
    let id = place.invite(&place.owner, "bob@example.com", "viewer").await;
    bob.put(&format!("/internal/collaboration/{id}/accept")).send().await.expect(200);
    let make = || {
        let call = bob.post(&format!("/internal/agents?app_id={}", place.app));
        call.json(&json!({ "name": "Mine" })).send()
    };
    make().await.refusal(403);
    let change = place.owner.put(&format!("/internal/collaboration/{id}")).json(&json!({ "role": "editor" }));
    change.send().await.expect(200);
    make().await.expect(201);
    place.owner.delete(&format!("/internal/collaboration/collaboration/{id}")).send().await.expect(200);
    make().await.refusal(404);
    assert!(place.collaborators().await.is_empty());
}

#[tokio::test]
async fn a_member_leaves_and_the_owner_cannot() {
    let place = Place::open().await;
    let bob = place.api.client("bob@example.com").await;
    let id = place.invite(&place.owner, "bob@example.com", "user").await;
    bob.put(&format!("/internal/collaboration/{id}/accept")).send().await.expect(200);
    let leave = format!("/internal/collaboration/apps/{}/leave", place.app);
    bob.post(&leave).send().await.expect(200);
    bob.post(&leave).send().await.refusal(404);
    assert!(place.owner.post(&leave).send().await.refusal(409).contains("delete the app"));
    assert!(place.sees_app(&place.owner).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_acceptance_and_a_withdrawal_at_once_one_wins() {
    let place = Place::open().await;
    for round in 0..10 {
        let bob = place.api.client(&format!("bob{round}@example.com")).await;
        let id = place.invite(&place.owner, &format!("bob{round}@example.com"), "viewer").await;
        let path = format!("/internal/collaboration/{id}");
        let accept = format!("{path}/accept");
        let (accepted, removed) = tokio::join!(bob.put(&accept).send(), place.owner.delete(&path).send());
        assert_eq!(removed.status, 200);
        assert!([200, 404, 409].contains(&accepted.status), "{accepted}");
        assert!(!place.sees_app(&bob).await, "whoever was first, the withdrawal holds");
    }
}
