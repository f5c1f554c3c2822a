//! Visiting a site that is served here, from the request to what can be found.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use omni_domain::Role;
use omni_testkit::{Client, TestApi, eventually};
use serde_json::{Value, json};
use time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a server answers: a status, a media type and a body.
type Answer = (u16, &'static str, String);

/// A web site on this machine, whose pages a test changes.
struct Site {
    address: String,
    pages: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// What is asked for below `/slow` is answered once this has a permit.
    slow: Arc<Semaphore>,
    _tasks: JoinSet<()>,
}

impl Site {
    /// Thirty pages in a chain of links, of which the last ten are only in the sitemap; one that the owner wants left alone,
    /// and one that fails.
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (pages, asked, slow) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        let mut tasks = JoinSet::new();
        let (served, noted, held) = (Arc::clone(&pages), Arc::clone(&asked), Arc::clone(&slow));
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, Arc::clone(&served), Arc::clone(&noted), Arc::clone(&held)));
            }
        });
        let site = Self { address, pages, asked, slow, _tasks: tasks };
        let links: String = (1..20).map(|n| format!("<a href=\"/p/{n}\">Part {n}</a> ")).collect();
        site.page(
            "/",
            &format!("Welcome to the house of parts. {links}<a href=\"/private/x\">x</a> <a href=\"/broken\">b</a>"),
        );
        for n in 1..30 {
            site.page(&format!("/p/{n}"), &format!("Part number {n} is made of wood and weighs {n} pounds."));
        }
        site.page("/private/x", "Nobody is to read this.");
        site.set("/broken", (500, "text/html", String::new()));
        site.set("/robots.txt", (200, "text/plain", "User-agent: *\nDisallow: /private/\n".to_owned()));
        let listed: String = (20..30).map(|n| format!("<url><loc>{}/p/{n}</loc></url>", site.address)).collect();
        site.set("/sitemap.xml", (200, "application/xml", format!("<urlset>{listed}</urlset>")));
        site
    }

    fn set(&self, path: &str, answer: Answer) {
        self.pages.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn page(&self, path: &str, body: &str) {
        let page = format!("<html><head><title>{path}</title></head><body><main><p>{body}</p></main></body></html>");
        self.set(path, (200, "text/html; charset=utf-8", page));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn serve(
    mut stream: TcpStream,
    pages: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    slow: Arc<Semaphore>,
) {
    let mut request = Vec::new();
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let text = String::from_utf8(request.clone()).unwrap();
        let path = text.split(' ').nth(1).unwrap().to_owned();
        let known = pages.lock().unwrap().get(&path).cloned();
        let (status, media_type, body) = known.unwrap_or((404, "text/plain", String::new()));
        let head =
            format!("HTTP/1.1 {status} Said\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        let is_slow = path.starts_with("/slow");
        asked.lock().unwrap().push(path);
        if is_slow {
            slow.acquire().await.unwrap().forget();
        }
        if stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await.is_err() {
            return;
        }
    }
}

struct Place {
    api: TestApi,
    owner: Client,
    site: Site,
    domain: Value,
}

impl Place {
    async fn open(change: Value) -> Self {
        let api = TestApi::builder().working().start().await;
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let site = Site::open().await;
        let mut body = json!({
            "name": "Site", "base_url": site.address, "rate_limit_rps": 10,
            "sitemap_url": format!("{}/sitemap.xml", site.address),
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let domain = owner.post(&format!("/internal/domains?app_id={app}")).json(&body).send().await.expect(201);
        Self { api, owner, site, domain }
    }

    fn path(&self, rest: &str) -> String {
        format!("/internal/domains/{}{rest}", self.domain["domain_id"])
    }

    async fn start(&self) -> Value {
        // The visits of one moment are one visit.
        self.api.clock().advance(Duration::minutes(1));
        self.owner.post(&self.path("/crawl")).send().await.expect(202)
    }

    /// A whole visit, with its end.
    async fn visit(&self) -> Value {
        let job = self.path(&format!("/jobs/{}", self.start().await["job_id"]));
        let mut told = Value::Null;
        // A busy machine makes it slow; what counts is that it moves on.
        while !["done", "failed", "cancelled"].iter().any(|over| told["status"] == *over) {
            told = eventually("the visit moves on", async || {
                let job = self.owner.get(&job).send().await.expect(200);
                (job != told).then_some(job)
            })
            .await;
        }
        told
    }

    async fn pages(&self, status: &str) -> Vec<String> {
        let path = self.path(&format!("/urls?per_page=100&status={status}"));
        let found = self.owner.get(&path).send().await.expect(200);
        let path = |page: &Value| page["url"].as_str().unwrap().trim_start_matches(&self.site.address).to_owned();
        let mut pages: Vec<String> = found["items"].as_array().unwrap().iter().map(path).collect();
        pages.sort_unstable();
        pages
    }

    /// What an agent that draws on the site answers, with the pages that it cites, the best first.
    async fn asked(&self, question: &str) -> (String, Vec<String>) {
        let app = &self.domain["app_id"];
        let agent = json!({ "name": question, "silo_id": self.domain["silo_id"] });
        let agent = self.owner.post(&format!("/internal/agents?app_id={app}")).json(&agent).send().await.expect(201);
        let said = self.owner.ask(agent["agent_id"].as_i64().unwrap(), question).await.expect(200);
        let page = |cited: &Value| cited["url"].as_str().unwrap().trim_start_matches(&self.site.address).to_owned();
        let cited = said["citations"].as_array().unwrap().iter().map(page).collect();
        (said["response"].as_str().unwrap().to_owned(), cited)
    }

    /// The numbers of the passages of each page.
    async fn passages(&self) -> BTreeMap<String, Vec<i64>> {
        let sql = self.api.database().sql().await;
        let rows = sql
            .query(
                "SELECT d.url, c.chunk_id FROM chunks c JOIN documents d USING (document_id) ORDER BY c.chunk_id",
                &[],
            )
            .await
            .unwrap();
        let mut passages: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for row in rows {
            let url: String = row.get(0);
            passages.entry(url.trim_start_matches(&self.site.address).to_owned()).or_default().push(row.get(1));
        }
        passages
    }
}

#[tokio::test]
async fn a_site_is_indexed_and_a_second_visit_touches_only_what_changed() {
    let place = Place::open(json!({})).await;
    let job = place.visit().await;
    assert_eq!(job["status"], json!("done"), "{job}");
    let counted = |job: &Value, name: &str| job["tally"][name].as_u64().unwrap();
    assert_eq!((counted(&job, "indexed"), counted(&job, "failed"), counted(&job, "excluded")), (30, 1, 1), "{job}");
    assert_eq!(place.pages("excluded").await, ["/private/x"]);
    assert_eq!(place.pages("failed").await, ["/broken"]);
    assert!(!place.site.asked().iter().any(|path| path.starts_with("/private")));
    let before = place.passages().await;
    assert_eq!(before.len(), 30);
    let (answer, cited) = place.asked("What does part number 17 weigh?").await;
    assert!(cited[0] == "/p/17" && answer.contains("17 pounds"), "{answer} {cited:?}");
    assert!(place.asked("What does part number 8 weigh?").await.1.contains(&"/p/8".to_owned()));

    place.site.page("/p/7", "Part number 7 is made of iron now.");
    place.site.pages.lock().unwrap().remove("/p/8");
    let job = place.visit().await;
    assert_eq!((counted(&job, "indexed"), counted(&job, "removed"), counted(&job, "skipped")), (1, 1, 28), "{job}");
    assert_eq!(place.pages("removed").await, ["/p/8"]);
    let after = place.passages().await;
    let differing: Vec<&String> = before.keys().filter(|page| before.get(*page) != after.get(*page)).collect();
    assert_eq!(differing, ["/p/7", "/p/8"]);
    assert!(after.contains_key("/p/7") && !after.contains_key("/p/8"));
    let (answer, cited) = place.asked("What is part number 7 made of now?").await;
    assert!(cited[0] == "/p/7" && answer.contains("iron"), "{answer} {cited:?}");
    let (_, cited) = place.asked("What does part number 8 really weigh?").await;
    assert!(!cited.contains(&"/p/8".to_owned()), "{cited:?}");
}

#[tokio::test]
async fn visits_that_are_polite_keep_no_file_waiting() {
    let place = Place::open(json!({ "rate_limit_rps": 0.2 })).await;
    let app = &place.domain["app_id"];
    let mut visits = vec![place.path(&format!("/jobs/{}", place.start().await["job_id"]))];
    for number in 0..2 {
        let body = json!({ "name": format!("Site {number}"), "base_url": place.site.address, "rate_limit_rps": 0.2 });
        let domain = place.owner.post(&format!("/internal/domains?app_id={app}")).json(&body).send().await.expect(201);
        let domain = format!("/internal/domains/{}", domain["domain_id"]);
        let job = place.owner.post(&format!("{domain}/crawl")).send().await.expect(202);
        visits.push(format!("{domain}/jobs/{}", job["job_id"]));
    }
    let status = async |visit: &str| place.owner.get(visit).send().await.expect(200)["status"].clone();
    for visit in &visits {
        eventually("the visit is under way", async || (status(visit).await == "running").then_some(())).await;
    }
    let made = place.owner.post(&format!("/internal/repositories?app_id={app}")).json(&json!({ "name": "Files" }));
    let files = format!("/internal/repositories/{}/files", made.send().await.expect(201)["repo_id"]);
    let file = place.owner.post(&files).form(&[], &[("file", "a.md", b"# A\n\nOne.")]).send().await.expect(201);
    let file = format!("{files}/{}", file["resource_id"]);
    eventually("the file is taken in", async || (status(&file).await == "ready").then_some(())).await;
    for visit in &visits {
        assert_eq!(status(visit).await, "running");
    }
}

#[tokio::test]
async fn a_page_that_is_deleted_while_it_is_read_stops_nothing() {
    let place = Place::open(json!({ "sitemap_url": null, "max_depth": 0 })).await;
    place.site.page("/slow", "This page is made of patience.");
    let pages = ["/slow", "/p/1"].map(|path| format!("{}{path}", place.site.address));
    let change = json!({ "manual_urls": pages, "seed_url": null });
    place.owner.put(&place.path("")).json(&change).send().await.expect(200);
    let job = place.path(&format!("/jobs/{}", place.start().await["job_id"]));
    eventually("the page is asked for", async || place.site.asked().contains(&"/slow".to_owned()).then_some(())).await;
    let listed = place.owner.get(&place.path("/urls?per_page=100")).send().await.expect(200);
    let slow = listed["items"].as_array().unwrap().iter().find(|page| page["url"] == pages[0]).unwrap();
    let slow = place.path(&format!("/urls/{}", slow["url_id"]));
    place.owner.delete(&slow).send().await.expect(200);
    place.site.slow.add_permits(1);
    let told = eventually("the visit is over", async || {
        let told = place.owner.get(&job).send().await.expect(200);
        (told["finish_date"] != Value::Null).then_some(told)
    })
    .await;
    assert_eq!(told["status"], "done", "{told}");
    assert_eq!(place.passages().await.into_keys().collect::<Vec<_>>(), ["/p/1"]);
}

#[tokio::test]
async fn a_visit_that_leaves_pages_out_says_so() {
    let place = Place::open(json!({ "max_pages": 2 })).await;
    let job = place.visit().await;
    assert_eq!(job["status"], "done");
    assert!(job["error"].as_str().is_some_and(|note| note.contains("max_pages")), "{job}");
}

#[tokio::test]
async fn a_visit_that_cannot_embed_leaves_no_page_that_is_being_worked_on() {
    let place = Place::open(json!({})).await;
    let app = &place.domain["app_id"];
    let body = json!({
        "name": "Away", "provider": "openai", "model": "m", "base_url": crate::indexing::nobody().await,
        "api_key": omni_testkit::PROVIDER_KEY,
    });
    let made = place.owner.post(&format!("/internal/embedding_services?app_id={app}")).json(&body).send().await;
    let change = json!({ "embedding_service_id": made.expect(201)["service_id"] });
    place.owner.put(&place.path("")).json(&change).send().await.expect(200);
    let job = place.path(&format!("/jobs/{}", place.start().await["job_id"]));
    eventually("the visit fails for now", async || {
        let told = place.owner.get(&job).send().await.expect(200);
        (told["error"] != Value::Null).then_some(())
    })
    .await;
    assert_eq!(place.api.database().snapshot().await.rows("documents"), 0);
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_what_to_leave_alone_keeps_its_pages() {
    let place = Place::open(json!({ "sitemap_url": null, "max_depth": 0 })).await;
    place.visit().await;
    let before = place.passages().await;
    assert_eq!(before.len(), 1);
    place.site.set("/robots.txt", (503, "text/plain", String::new()));
    let job = place.visit().await;
    assert_eq!(job["status"], json!("done"));
    assert!(job["error"].as_str().unwrap().contains("robots.txt"), "{job}");
    assert_eq!(place.passages().await, before);
}

#[tokio::test]
async fn a_visit_is_followed_stopped_and_goes_on_from_there() {
    let place = Place::open(json!({ "rate_limit_rps": 2 })).await;
    let job = place.start().await;
    place.owner.post(&place.path("/crawl")).send().await.refusal(409);
    let job = place.path(&format!("/jobs/{}", job["job_id"]));
    eventually("some pages are indexed", async || (place.passages().await.len() > 1).then_some(())).await;
    place.owner.post(&format!("{job}/cancel")).send().await.expect(200);
    eventually("the visit is stopped", async || {
        (place.owner.get(&job).send().await.expect(200)["status"] == "cancelled").then_some(())
    })
    .await;
    let events = place.owner.get(&format!("{job}/events")).send().await.bytes();
    assert!(events.contains("event: done") && events.contains("cancelled"), "{events}");
    let kept = place.passages().await;
    assert!(kept.len() < 30, "it was stopped on the way");
    place.owner.put(&place.path("")).json(&json!({ "rate_limit_rps": 10 })).send().await.expect(200);
    place.visit().await;
    let all = place.passages().await;
    assert_eq!(all.len(), 30);
    assert!(kept.iter().all(|(page, passages)| all.get(page) == Some(passages)), "nothing was indexed twice");
}

#[tokio::test]
async fn a_visit_stops_when_whoever_asked_for_it_may_not_ask_any_more() {
    let place = Place::open(json!({ "rate_limit_rps": 1 })).await;
    let editor = place.api.client("editor@example.com").await;
    place.api.make_member(place.domain["app_id"].as_i64().unwrap(), &editor, Role::Editor).await;
    place.api.clock().advance(Duration::minutes(1));
    let job = editor.post(&place.path("/crawl")).send().await.expect(202);
    let told = async || place.owner.get(&place.path(&format!("/jobs/{}", job["job_id"]))).send().await.expect(200);
    eventually("the visit is under way", async || (told().await["status"] == "running").then_some(())).await;
    let lowered = format!("UPDATE collaborations SET role = 'viewer' WHERE user_id = {}", editor.user_id);
    place.api.database().sql().await.batch_execute(&lowered).await.unwrap();
    // Thirty pages at one a second take longer than it takes to look.
    let stopped =
        eventually("the visit ends", async || Some(told().await).filter(|job| job["status"] != "running")).await;
    assert_eq!(stopped["status"], "failed", "{stopped}");
    assert!(stopped["error"].as_str().unwrap().contains("may not do it any more"), "{stopped}");
}
