//! Domains: their silo is theirs, their policy is checked, and none goes away under an agent or a visit.

use omni_testkit::TestApi;
use serde_json::{Value, json};
use time::Duration;

use crate::silos::Place;

fn site(name: &str) -> Value {
    json!({ "name": name, "base_url": "https://site.example/" })
}

#[tokio::test]
async fn what_is_left_out_is_as_usual() {
    let place = Place::open().await;
    let made = place.create("domains", site("Site")).await;
    assert_eq!((&made["url_count"], &made["last_job"]), (&json!(0), &json!(null)));
    assert_eq!((&made["vector_db_type"], &made["retrieval_count"]), (&json!("PGVECTOR"), &json!(5)));
    assert_eq!(made["next_crawl"], json!("2026-01-22T12:00:20Z"), "in a week");
    let usual = json!({
        "seed_url": "https://site.example/", "sitemap_url": null, "manual_urls": [], "max_depth": 2, "include_globs": [],
        "exclude_globs": [], "rate_limit_rps": 1.0, "refresh_interval_hours": 168, "respect_robots_txt": true,
        "max_pages": 1_000, "content_selector": null, "is_active": true,
    });
    assert_eq!(made["policy"], usual);
    let silo = place.get("silos", &made["silo_id"]).await;
    assert_eq!((&silo["name"], &silo["silo_type"]), (&json!("Site"), &json!("DOMAIN")));
    assert_eq!(place.get("domains", &made["domain_id"]).await, made);
}

#[tokio::test]
async fn the_policy_is_read_beside_the_domain_and_within_it() {
    let place = Place::open().await;
    let body = json!({
        "name": "Site", "base_url": "https://site.example/", "max_depth": 1, "content_selector": "main",
        "policy": { "max_depth": 3, "seed_url": null, "sitemap_url": "https://site.example/sitemap.xml" },
    });
    let made = place.create("domains", body).await;
    assert_eq!((&made["policy"]["max_depth"], &made["content_selector"]), (&json!(3), &json!("main")));
    assert_eq!(made["policy"]["seed_url"], json!(null));
    let id = &made["domain_id"];
    let changed =
        place.update("domains", id, json!({ "refresh_interval_hours": 1, "policy": { "max_depth": null } })).await;
    assert_eq!((&changed["policy"]["max_depth"], &changed["next_crawl"]), (&json!(2), &json!("2026-01-15T13:00:20Z")));
    let idle = place.update("domains", id, json!({ "is_active": false })).await;
    assert_eq!(idle["next_crawl"], json!(null));
    assert_eq!(idle["content_selector"], json!("main"), "what is left out stays");
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_nothing_is_made() {
    let place = Place::open().await;
    let silos = place.rows("silos").await;
    for (change, field) in [
        (json!({ "name": " " }), "name"),
        (json!({ "base_url": "site.example" }), "base_url"),
        (json!({ "base_url": "ftp://site.example/", "seed_url": "https://site.example/" }), "base_url"),
        (json!({ "policy": { "max_depth": 6 } }), "max_depth"),
        (json!({ "rate_limit_rps": 0 }), "rate_limit_rps"),
        (json!({ "include_globs": ["docs"] }), "include_globs"),
        (json!({ "content_selector": "main >" }), "content_selector"),
        (json!({ "content_selector": ":not(".repeat(40) }), "content_selector"),
        (json!({ "seed_url": null }), "seed_url"),
        (json!({ "vector_db_type": "CHROMA" }), "vector_db_type"),
        (json!({ "retrieval_count": 0 }), "retrieval_count"),
        (json!({ "embedding_service_id": 987_654 }), "embedding_service_id"),
    ] {
        let mut body = site("Site");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refusal = place.try_create("domains", &body).await.refusal(400);
        assert!(refusal.contains(field), "{change}: {refusal}");
    }
    assert_eq!((place.rows("silos").await, place.rows("domains").await), (silos, 0));
}

#[tokio::test]
async fn a_name_is_taken_once_and_the_silo_finds_another() {
    let place = Place::open().await;
    place.create("silos", json!({ "name": "Site" })).await;
    let made = place.create("domains", site("Site")).await;
    assert_eq!(place.get("silos", &made["silo_id"]).await["name"], json!("Site (2)"));
    assert!(place.try_create("domains", &site("Site")).await.refusal(409).contains("name"));
}

#[tokio::test]
async fn a_domain_is_visited_by_one_job_at_a_time_and_stays_meanwhile() {
    let place = Place::open().await;
    let made = place.create("domains", site("Site")).await;
    let id = &made["domain_id"];
    let crawl = async || place.owner.post(&format!("/internal/domains/{id}/crawl")).send().await;
    let job = crawl().await.expect(202);
    assert_eq!((&job["status"], &job["user_id"]), (&json!("queued"), &json!(place.owner.user_id)));
    let refusal = crawl().await.refusal(409);
    assert!(refusal.contains(&job["job_id"].to_string()), "{refusal}");
    place.try_delete("domains", id).await.refusal(409);
    assert_eq!(place.get("domains", id).await["last_job"]["job_id"], job["job_id"]);
    let cancel = format!("/internal/domains/{id}/jobs/{}/cancel", job["job_id"]);
    assert_eq!(place.owner.post(&cancel).send().await.expect(200)["status"], json!("cancelled"));
    place.owner.post(&cancel).send().await.refusal(409);
    let other = place.create("domains", site("Other")).await["domain_id"].clone();
    place.owner.get(&format!("/internal/domains/{other}/jobs/{}", job["job_id"])).send().await.refusal(404);
    place.try_delete("domains", id).await.expect(200);
    assert_eq!(place.rows("jobs").await, 0);
    place.owner.get(&format!("/internal/silos/{}", made["silo_id"])).send().await.refusal(404);
}

#[tokio::test]
async fn an_agent_keeps_the_domain_that_it_draws_on() {
    let place = Place::open().await;
    let made = place.create("domains", site("Site")).await;
    let agent = place.create("agents", json!({ "name": "Clerk", "silo_id": made["silo_id"] })).await;
    let refusal = place.try_delete("domains", &made["domain_id"]).await.refusal(409);
    assert!(refusal.contains("Clerk"), "{refusal}");
    place.try_delete("agents", &agent["agent_id"]).await.expect(200);
    place.try_delete("domains", &made["domain_id"]).await.expect(200);
}

#[tokio::test]
async fn pages_are_added_once_found_by_a_part_and_forgotten() {
    let place = Place::open().await;
    let id = place.create("domains", site("Site")).await["domain_id"].clone();
    let urls = format!("/internal/domains/{id}/urls");
    let add = json!({ "urls": ["https://site.example/a", "https://site.example/a/", "https://other.example/b"] });
    let added = place.owner.post(&urls).json(&add).send().await.expect(201);
    assert_eq!(added["items"].as_array().unwrap().len(), 2, "a slash at the end makes no other page");
    place.owner.post(&urls).json(&add).send().await.expect(201);
    let listed = place.owner.get(&format!("{urls}?q=OTHER&status=pending")).send().await.expect(200);
    assert_eq!((&listed["total"], &listed["items"][0]["via"]), (&json!(1), &json!("manual")));
    place.owner.get(&format!("{urls}?status=lost")).send().await.refusal(400);
    for wrong in [json!({}), json!({ "url": "mailto:a@b.example" })] {
        place.owner.post(&urls).json(&wrong).send().await.refusal(400);
    }
    let page = format!("{urls}/{}", listed["items"][0]["url_id"]);
    place.owner.delete(&page).send().await.expect(200);
    place.owner.delete(&page).send().await.refusal(404);
    assert_eq!(place.get("domains", &id).await["url_count"], json!(1));
}

#[tokio::test]
async fn what_is_due_is_asked_for_once_by_two_replicas() {
    let one = TestApi::start().await;
    let owner = one.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let body = json!({ "name": "Site", "base_url": "https://site.example/", "refresh_interval_hours": 1 });
    let made = owner.post(&format!("/internal/domains?app_id={app}")).json(&body).send().await.expect(201);
    one.clock().advance(Duration::hours(2));
    let replicas = [one.database().store(), one.database().store()];
    let leave = omni_rbac::SystemGrant::because("a test looks for what is due");
    let now = omni_domain::Clock::now(one.clock());
    let asked =
        futures::future::join_all(replicas.iter().chain(&replicas).map(|store| store.start_due_crawls(&leave, now)))
            .await;
    let asked: u64 = asked.into_iter().map(Result::unwrap).sum();
    assert_eq!(asked, 1);
    let domain = owner.get(&format!("/internal/domains/{}", made["domain_id"])).send().await.expect(200);
    assert_eq!(domain["next_crawl"], json!("2026-01-15T15:00:20Z"));
    assert_eq!(domain["last_job"]["user_id"], json!(null));
}
