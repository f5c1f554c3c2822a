//! What the operator does with other people's accounts.

use omni_testkit::{Client, TestApi};
use serde_json::{Value, json};

async fn operator(api: &TestApi) -> Client {
    api.client("omniadmin@example.com").await
}

fn account(person: &Client) -> String {
    format!("/internal/admin/users/{}", person.user_id)
}

fn emails(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_found_by_a_part_of_their_name_or_address() {
    let api = TestApi::start().await;
    let operator = operator(&api).await;
    for email in ["ada@example.com", "grace@example.com", "grace_hopper@navy.example"] {
        api.client(email).await;
    }
    let find = async |query: &str| operator.get(&format!("/internal/admin/users?{query}")).send().await.expect(200);
    assert_eq!(emails(&find("search=GRACE").await), ["grace@example.com", "grace_hopper@navy.example"]);
    // What other systems take for wildcards are letters.
    assert_eq!(emails(&find("search=e_h").await), ["grace_hopper@navy.example"]);
    assert_eq!(emails(&find("search=%25").await), Vec::<&str>::new());
    let page = find("search=grace&per_page=1&page=2").await;
    assert_eq!(
        (emails(&page), &page["total"], &page["pages"]),
        (vec!["grace_hopper@navy.example"], &json!(2), &json!(2))
    );
    assert_eq!(find("is_active=false").await["total"], json!(0));
    let me = find("search=omniadmin").await;
    assert_eq!((&me["items"][0]["is_omniadmin"], &me["items"][0]["owned_apps_count"]), (&json!(true), &json!(0)));
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once_and_comes_back_by_signing_in_again() {
    let api = TestApi::start().await;
    let operator = operator(&api).await;
    let ada = api.client("ada@example.com").await;
    ada.create_app("Ada's").await;
    let set = |is_active: bool| operator.put(&account(&ada)).json(&json!({ "is_active": is_active })).send();
    assert_eq!(set(false).await.expect(200)["is_active"], json!(false));
    ada.get("/internal/apps").send().await.refusal(401);
    let door = api.anonymous().post("/internal/auth/dev-login").json(&json!({ "email": "ada@example.com" }));
    assert_eq!(door.send().await.refusal(403), "this account is deactivated");
    set(true).await.expect(200);
    ada.get("/internal/apps").send().await.refusal(401);
    let back = api.client("ada@example.com").await;
    assert_eq!(back.get("/internal/apps").send().await.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_that_owns_apps_goes_only_when_somebody_takes_them() {
    let api = TestApi::start().await;
    let operator = operator(&api).await;
    let (ada, heir) = (api.client("ada@example.com").await, api.client("heir@example.com").await);
    let app = ada.create_app("Ada's").await;
    api.make_member(app, &heir, omni_domain::Role::Viewer).await;
    let refused = operator.delete(&account(&ada)).send().await;
    assert!(refused.refusal(409).contains("owns an app"), "{refused}");
    let nobody = operator.delete(&format!("{}?transfer_to=987654321", account(&ada))).send().await;
    assert!(nobody.refusal(409).starts_with("transfer_to: "));
    operator.delete(&format!("{}?transfer_to={}", account(&ada), ada.user_id)).send().await.refusal(409);

    operator.delete(&format!("{}?transfer_to={}", account(&ada), heir.user_id)).send().await.expect(200);
    ada.get("/internal/apps").send().await.refusal(401);
    operator.get(&account(&ada)).send().await.refusal(404);
    let seen = heir.get(&format!("/internal/apps/{app}")).send().await.expect(200);
    assert_eq!((&seen["role"], &seen["owner_id"]), (&json!("owner"), &json!(heir.user_id)));
    let others = heir.get(&format!("/internal/collaboration/apps/{app}/collaborators")).send().await.expect(200);
    assert_eq!(others, json!([]));
}

#[tokio::test]
async fn an_operator_cannot_lock_the_operators_out() {
    let api = TestApi::start().await;
    let operator = operator(&api).await;
    let shut = operator.put(&account(&operator)).json(&json!({ "is_active": false }));
    assert!(shut.send().await.refusal(409).contains("your own account"));
    operator.delete(&account(&operator)).send().await.refusal(409);
    let renamed = operator.put(&account(&operator)).json(&json!({ "name": "Root" })).send().await.expect(200);
    assert_eq!(renamed["name"], json!("Root"));
}

#[tokio::test]
async fn an_address_or_a_role_is_not_changed_from_here() {
    let api = TestApi::start().await;
    let operator = operator(&api).await;
    let ada = api.client("ada@example.com").await;
    let greedy = json!({ "email": "omniadmin@example.com", "is_omniadmin": true, "user_id": 1 });
    let answer = operator.put(&account(&ada)).json(&greedy).send().await.expect(200);
    assert_eq!((&answer["email"], &answer["is_omniadmin"]), (&json!("ada@example.com"), &json!(false)));
    for wrong in
        [json!({ "name": null }), json!({ "name": " " }), json!({ "is_active": null }), json!({ "is_active": 1 })]
    {
        operator.put(&account(&ada)).json(&wrong).send().await.refusal(400);
    }
}
