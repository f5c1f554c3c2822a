//! Indexing beside everything else that goes on: others who index, a silo that is embedded anew, a provider that is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use omni_testkit::{Client, PROVIDER_KEY, TestApi, TestDatabase, eventually};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::files::{Desk, HANDBOOK};

/// A provider of embeddings that has the silos of a database embedded anew while it thinks, as often as it is told to.
struct Embedder {
    url: String,
    times: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Embedder {
    async fn open(database: &Arc<TestDatabase>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let times = Arc::new(AtomicUsize::new(0));
        let (database, left) = (Arc::clone(database), Arc::clone(&times));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(embed(stream, Arc::clone(&database), Arc::clone(&left)));
            }
        });
        Self { url, times, _serving: serving }
    }
}

async fn embed(mut stream: TcpStream, database: Arc<TestDatabase>, left: Arc<AtomicUsize>) {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split_once("content-length: ")
                .map(|(_, rest)| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        database.sql().await.batch_execute("UPDATE silos SET epoch = epoch + 1").await.unwrap();
    }
    let vector = json!({ "object": "embedding", "index": 0, "embedding": [0.6, 0.8, 0.0] });
    let body = json!({
        "object": "list", "data": [vector], "model": "m", "usage": { "prompt_tokens": 1, "total_tokens": 1 },
    });
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // Whoever asked may have gone away.
    let _ = stream.write_all([head, body].concat().as_bytes()).await;
}

/// Where nobody listens any more.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

async fn service(owner: &Client, app: i64, url: &str) -> Value {
    let body = json!({
        "name": "Embeddings", "provider": "openai", "model": "m", "base_url": url, "api_key": PROVIDER_KEY,
    });
    let made = owner.post(&format!("/internal/embedding_services?app_id={app}")).json(&body).send().await;
    made.expect(201)["service_id"].clone()
}

async fn silo(owner: &Client, app: i64, body: Value) -> String {
    let made = owner.post(&format!("/internal/silos?app_id={app}")).json(&body).send().await.expect(201);
    format!("/internal/silos/{}/documents", made["silo_id"])
}

fn text() -> Value {
    json!({ "name": "Hours", "text": "The shop opens at nine." })
}

#[tokio::test]
async fn a_text_whose_silo_is_embedded_anew_meanwhile_is_embedded_once_more() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let embedder = Embedder::open(api.database()).await;
    let service = service(&owner, app, &embedder.url).await;
    let documents = silo(&owner, app, json!({ "name": "Knowledge", "embedding_service_id": service })).await;
    embedder.times.store(2, Ordering::SeqCst);
    owner.post(&documents).json(&text()).send().await.expect(201);
    let current = "SELECT count(*) FROM chunk_vectors v JOIN silos s USING (silo_id, epoch)";
    let current: i64 = api.database().sql().await.query_one(current, &[]).await.unwrap().get(0);
    assert_eq!(current, 1);
    // Not for ever: somebody else's turn comes, too.
    embedder.times.store(100, Ordering::SeqCst);
    let refused = owner.post(&documents).json(&text()).send().await.refusal(409);
    assert!(refused.contains("anew"), "{refused}");
    assert_eq!(100 - embedder.times.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_text_that_cannot_be_embedded_leaves_nothing_that_is_being_worked_on() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let service = service(&owner, app, &nobody().await).await;
    let documents = silo(&owner, app, json!({ "name": "Knowledge", "embedding_service_id": service })).await;
    let answer = owner.post(&documents).json(&text()).send().await;
    assert!(answer.status >= 500, "{answer}");
    assert_eq!(api.database().snapshot().await.rows("documents"), 0);
}

#[tokio::test]
async fn those_who_bring_the_first_texts_of_a_silo_do_not_wait_for_one_another_for_ever() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let documents = silo(&owner, app, json!({ "name": "Knowledge" })).await;
    let sql = omni_testkit::Connection::open(api.database().url()).await;
    sql.batch_execute("BEGIN; SELECT FROM silos FOR UPDATE").await.unwrap();
    let bring = async || owner.post(&documents).json(&text()).send().await.status;
    let let_go = async {
        let waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() \
                       HAVING count(*) = 2";
        let database = api.database().sql().await;
        eventually("both wait for the silo", async || database.any(waiting).await.then_some(())).await;
        sql.batch_execute("COMMIT").await.unwrap();
    };
    let (one, two, ()) = tokio::join!(bring(), bring(), let_go);
    assert_eq!((one, two), (201, 201));
}

#[tokio::test]
async fn whoever_ends_a_job_takes_the_file_before_the_job_as_whoever_deletes_the_file_does() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    let sql = omni_testkit::Connection::open(desk.api.database().url()).await;
    let hold = format!("BEGIN; SELECT FROM documents WHERE document_id = {file} FOR UPDATE");
    sql.batch_execute(&hold).await.unwrap();
    let cancel = desk.owner.post(&format!("{}/{file}/cancel", desk.files)).send();
    let meanwhile = async {
        let waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let database = desk.api.database().sql().await;
        eventually("whoever cancels waits for the file", async || database.any(waiting).await.then_some(())).await;
        let job = format!("SELECT FROM jobs WHERE document_id = {file} FOR UPDATE NOWAIT; COMMIT");
        sql.batch_execute(&job).await.expect("nobody has taken the job");
    };
    let (cancelled, ()) = tokio::join!(cancel, meanwhile);
    assert_eq!(cancelled.expect(200)["status"], "cancelled");
}
