//! Files from the upload to their passages and back, with real children that read them.

use std::time::Duration;

use omni_domain::{Clock, Role, Work};
use omni_persistence::{JobEnding, JobLease, JobProgress, LeaseStanding};
use omni_rbac::SystemGrant;
use omni_testkit::{Answer, Client, TestApi, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const HANDBOOK: &[u8] =
    b"# Opening hours\n\nWe are open from nine to five.\n\n# Leave\n\nThirty days a year.\n";

/// An app with a repository, and its owner.
pub(crate) struct Desk {
    pub(crate) api: TestApi,
    pub(crate) owner: Client,
    pub(crate) app: i64,
    pub(crate) files: String,
}

impl Desk {
    /// With somebody who works on jobs.
    pub(crate) async fn staffed() -> Self {
        Self::at(TestApi::builder().working().start().await).await
    }

    /// With nobody who does.
    pub(crate) async fn deserted() -> Self {
        Self::at(TestApi::start().await).await
    }

    pub(crate) async fn at(api: TestApi) -> Self {
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let files = repository(&owner, app, "Handbooks").await;
        Self { api, owner, app, files }
    }

    pub(crate) async fn upload(&self, name: &str, content: &[u8]) -> Answer {
        self.owner.post(&self.files).form(&[("folder_id", "null")], &[("file", name, content)]).send().await
    }

    pub(crate) async fn uploaded(&self, name: &str, content: &[u8]) -> i64 {
        self.upload(name, content).await.expect(201)["resource_id"].as_i64().unwrap()
    }

    /// The file once nobody works on it any more.
    pub(crate) async fn settled(&self, file: i64) -> Value {
        settled(&self.owner, &self.files, file).await
    }

    /// Returns when no job waits or runs.
    pub(crate) async fn idle(&self) {
        let active = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')";
        eventually("all jobs are over", async || (self.count(active).await == 0).then_some(())).await;
    }

    /// What one statement says, a number.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.api.database().sql().await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// Makes a repository, and says where its files are.
async fn repository(owner: &Client, app: i64, name: &str) -> String {
    let made = owner.post(&format!("/internal/repositories?app_id={app}")).json(&json!({ "name": name })).send().await;
    format!("/internal/repositories/{}/files", made.expect(201)["repo_id"])
}

async fn settled(client: &Client, files: &str, file: i64) -> Value {
    eventually("the file is done with", async || {
        let told = client.get(&format!("{files}/{file}")).send().await.expect(200);
        (told["status"] != "processing").then_some(told)
    })
    .await
}

#[tokio::test]
async fn a_file_is_uploaded_taken_in_found_again_and_removed() {
    let desk = Desk::staffed().await;
    let received = desk.upload("handbook.md", HANDBOOK).await.expect(201);
    let size = HANDBOOK.len();
    let shape = json!({
        "resource_id": received["resource_id"], "filename": "handbook.md", "file_size": size, "status": "processing",
    });
    assert_eq!(received, shape);
    let file = received["resource_id"].as_i64().unwrap();
    let ready = desk.settled(file).await;
    assert_eq!((&ready["status"], &ready["error"]), (&json!("ready"), &Value::Null));
    assert_eq!(ready["media_type"], "text/markdown");
    let chunks = desk.count(&format!("SELECT count(*) FROM chunks WHERE document_id = {file}")).await;
    assert!(chunks > 0 && ready["chunk_count"] == json!(chunks), "{ready}");
    let listed =
        desk.owner.get(&format!("{}?name=HAND&status=ready&folder_id=null", desk.files)).send().await.expect(200);
    assert_eq!((&listed["total"], &listed["items"][0]["resource_id"]), (&json!(1), &json!(file)));
    let other = desk.owner.get(&format!("{}?status=failed", desk.files)).send().await.expect(200);
    assert_eq!(other["total"], 0);
    desk.owner.get(&format!("{}?status=lost", desk.files)).send().await.refusal(400);
    desk.owner.delete(&format!("{}/{file}", desk.files)).send().await.expect(200);
    desk.owner.get(&format!("{}/{file}", desk.files)).send().await.refusal(404);
    let left = "SELECT (SELECT count(*) FROM chunks) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM documents)";
    assert_eq!(desk.count(left).await, 0);
}

#[tokio::test]
async fn a_file_comes_back_whole_in_part_and_harmless() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("../../etc/Büro\"; x=.md", HANDBOOK).await;
    let told = desk.owner.get(&format!("{}/{file}", desk.files)).send().await.expect(200);
    assert_eq!(told["filename"], "Büro\"; x=.md", "folders are not part of a name");
    let content = format!("{}/{file}/content", desk.files);
    let whole = desk.owner.get(&content).send().await;
    assert_eq!((whole.status, &whole.body[..]), (200, HANDBOOK));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert!(whole.header("content-security-policy").unwrap().starts_with("sandbox"));
    let disposition = whole.header("content-disposition").unwrap();
    assert_eq!(disposition, "attachment; filename=\"B_ro__ x_.md\"; filename*=UTF-8''B%C3%BCro%22%3B%20x%3D.md");
    let part = desk.owner.get(&content).header("range", "bytes=2-8").send().await;
    assert_eq!((part.status, &part.body[..]), (206, &HANDBOOK[2..9]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 2-8/{}", HANDBOOK.len())));
    let tail = desk.owner.get(&content).header("range", "bytes=-6").send().await;
    assert_eq!(&tail.body[..], &HANDBOOK[HANDBOOK.len() - 6..]);
    let beyond = desk.owner.get(&content).header("range", "bytes=9999-").send().await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(&*format!("bytes */{}", HANDBOOK.len()))));
    let stale = desk.owner.get(&content).header("range", "bytes=2-8").header("if-range", "\"other\"").send().await;
    assert_eq!((stale.status, stale.body.len()), (200, HANDBOOK.len()));
    let tag = whole.header("etag").unwrap();
    let fresh = desk.owner.get(&content).header("range", "bytes=2-8").header("if-range", tag).send().await;
    assert_eq!(fresh.status, 206);
}

#[tokio::test]
async fn several_files_come_in_one_form_and_move_between_folders() {
    let desk = Desk::deserted().await;
    let repository = desk.files.trim_end_matches("/files").rsplit('/').next().unwrap().parse::<i64>().unwrap();
    let folder = json!({ "name": "Rules", "repository_id": repository });
    let folders = format!("/internal/folders?app_id={}", desk.app);
    let folder = desk.owner.post(&folders).json(&folder).send().await.expect(201)["folder_id"].clone();
    let two: [(&str, &str, &[u8]); 2] = [("files", "a.md", b"# A\n\nOne."), ("files", "b.txt", b"Two.")];
    let form = [("folder_id", &*folder.to_string())];
    let made = desk.owner.post(&desk.files).form(&form, &two).send().await.expect(201);
    assert_eq!((made["files"].as_array().unwrap().len(), &made["filename"]), (2, &json!("a.md")));
    let inside = desk.owner.get(&format!("{}?folder_id={folder}", desk.files)).send().await.expect(200);
    assert_eq!(inside["total"], 2);
    let file = format!("{}/{}", desk.files, made["resource_id"]);
    let moved = desk.owner.put(&file).json(&json!({ "name": "c.md", "folder_id": null })).send().await.expect(200);
    assert_eq!((&moved["filename"], &moved["folder_id"]), (&json!("c.md"), &Value::Null));
    let nowhere = desk.owner.put(&file).json(&json!({ "folder_id": 987_654_321 })).send().await;
    assert!(nowhere.refusal(400).starts_with("folder_id: "));
    desk.owner.put(&file).json(&json!({ "name": "a\nb" })).send().await.refusal(400);
    let before = desk.api.database().snapshot().await;
    let lost = desk.owner.post(&desk.files).form(&[("folder_id", "987654321")], &two).send().await;
    assert!(lost.refusal(400).starts_with("folder_id: "));
    // A folder of another repository is none here.
    let elsewhere = self::repository(&desk.owner, desk.app, "Elsewhere").await;
    let before_other = desk.api.database().snapshot().await;
    desk.owner.post(&elsewhere).form(&form, &two).send().await.refusal(400);
    assert!(desk.api.database().snapshot().await == before_other && before != before_other);
}

#[tokio::test]
async fn what_is_too_large_or_of_no_kind_that_is_read_is_refused_and_nothing_is_kept() {
    let desk = Desk::at(TestApi::builder().upload_limit(3_000_000).start().await).await;
    let before = desk.api.database().snapshot().await;
    let large = vec![b'x'; 3_000_001];
    assert!(desk.upload("a.txt", &large).await.refusal(413).contains("3000000 bytes"));
    for (name, content, status) in [
        ("a.pdf", &b"this is no PDF"[..], 400),
        ("a.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0", 415),
        ("a.zip", b"PK\x03\x04\x14\0\0\0\0\0", 415),
        ("a.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 415),
        ("empty.txt", b"", 400),
        ("..", b"text", 400),
        ("a\u{7f}.txt", b"text", 400),
    ] {
        let answer = desk.upload(name, content).await;
        assert!(matches!(answer.status, 400 | 415), "{name}: {answer}, and not {status}");
        answer.detail();
    }
    desk.owner.post(&desk.files).form(&[("folder_id", "null")], &[]).send().await.refusal(400);
    desk.owner.post(&desk.files).form(&[], &[("virus", "a.txt", b"a")]).send().await.refusal(400);
    desk.owner.post(&desk.files).form(&[("folder_id", "x")], &[("file", "a.txt", b"a")]).send().await.refusal(400);
    desk.owner.post(&desk.files).json(&json!({})).send().await.refusal(415);
    assert!(desk.api.database().snapshot().await == before);
    let lower = format!("UPDATE apps SET max_file_size_mb = 1 WHERE app_id = {}", desk.app);
    desk.api.database().sql().await.batch_execute(&lower).await.unwrap();
    assert!(desk.upload("a.txt", &large[..1_000_001]).await.refusal(413).contains("1000000 bytes"));
    desk.upload("a.txt", &large[..1_000_000]).await.expect(201);
}

#[tokio::test]
async fn a_file_that_is_made_to_do_harm_fails_with_a_reason_and_can_be_tried_again() {
    let desk = Desk::staffed().await;
    let bad: [(&str, &[u8]); 4] = [
        ("broken.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\ntrailer << /Root 1 0 R >>\n"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff\x08\x02\0\0\0"),
        ("blank.txt", b"   \n\n  "),
        ("cut.docx", &include_bytes!("../../../documents/tests/data/manual.docx")[..9_000]),
    ];
    for (name, content) in bad {
        let answer = desk.upload(name, content).await;
        if answer.status != 201 {
            answer.detail();
            continue;
        }
        let file = answer.json()["resource_id"].as_i64().unwrap();
        let told = desk.settled(file).await;
        assert_eq!(told["status"], "failed", "{told}");
        assert!(told["error"].as_str().is_some_and(|reason| reason.len() > 10), "{told}");
        assert_eq!(told["chunk_count"], 0);
    }
    let picture = desk.owner.get(&format!("{}?name=picture", desk.files)).send().await.expect(200)["items"][0].clone();
    assert!(picture["error"].as_str().unwrap().contains("tesseract"), "{picture}");
    let retry = format!("{}/{}/retry", desk.files, picture["resource_id"]);
    assert_eq!(desk.owner.post(&retry).send().await.expect(202)["status"], "processing");
    let again = desk.settled(picture["resource_id"].as_i64().unwrap()).await;
    assert_eq!((&again["status"], &again["error"]), (&json!("failed"), &picture["error"]));
}

#[tokio::test]
async fn somebody_who_follows_a_file_sees_it_to_its_end() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    let one = desk.owner.get(&format!("{}/{file}/events", desk.files)).stream().await;
    let all = desk.owner.get(&format!("{}/events", desk.files.trim_end_matches("/files"))).stream().await;
    let database = desk.api.database();
    let staffed = TestApi::builder().database(database).clock(desk.api.clock()).working().start().await;
    for events in [one, all] {
        let events: Vec<Value> = events.rest().await.into_iter().map(|event| event.data).collect();
        assert_eq!((&events[0]["type"], &events[0]["status"]), (&json!("progress"), &json!("processing")));
        let [.., ready, done] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((&ready["status"], &ready["resource_id"]), (&json!("ready"), &json!(file)));
        assert_eq!((&done["type"], &done["files"]), (&json!("done"), &json!(1)));
    }
    staffed.stop();
}

#[tokio::test]
async fn a_file_that_waits_is_cancelled_at_once_and_one_that_is_over_stays_as_it_is() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    let cancel = format!("{}/{file}/cancel", desk.files);
    assert_eq!(desk.owner.post(&cancel).send().await.expect(200)["status"], "cancelled");
    assert_eq!(desk.owner.post(&cancel).send().await.expect(200)["status"], "cancelled");
    let retry = format!("{}/{file}/retry", desk.files);
    assert_eq!(desk.owner.post(&retry).send().await.expect(202)["status"], "processing");
    assert_eq!(desk.owner.post(&retry).send().await.expect(202)["status"], "processing");
    assert_eq!(desk.count("SELECT count(*) FROM jobs WHERE status = 'queued'").await, 1, "one at a time");
}

#[tokio::test]
async fn a_worker_that_dies_between_two_steps_leaves_nothing_stuck_and_nothing_twice() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    let (store, clock) = (desk.api.database().store(), desk.api.clock());
    let leave = SystemGrant::because("a worker that dies");
    let claim = async || {
        // Each claim is made at another moment, and so under another name.
        let now = clock.now();
        let holder = Uuid::from_u128(now.unix_timestamp_nanos().unsigned_abs());
        let job = store.claim_job(&leave, &[Work::INGEST], holder, now, Duration::from_secs(30)).await.unwrap();
        job.map(|job| (JobLease { app: job.app, job: job.id, holder }, job.attempts))
    };
    // It dies right after it has taken the job up.
    let (dead, attempts) = claim().await.unwrap();
    assert_eq!((attempts, claim().await), (1, None), "nobody else gets it");
    clock.advance(time::Duration::seconds(31));
    let (second, attempts) = claim().await.unwrap();
    assert_eq!(attempts, 2);
    let now = clock.now();
    let ending = JobEnding::Failed { reason: "from the grave".to_owned() };
    assert!(!store.end_job(&leave, dead, &ending, now).await.unwrap(), "who lost the lease writes nothing");
    let progress = JobProgress::default();
    let standing = store.renew_job(&leave, dead, progress, now).await.unwrap();
    assert_eq!(standing, LeaseStanding::Lost);
    let standing = store.renew_job(&leave, second, progress, now).await.unwrap();
    assert_eq!(standing, LeaseStanding::Held);
    // The second one dies, too; a server that works takes it to its end.
    clock.advance(time::Duration::seconds(31));
    let staffed = TestApi::builder().database(desk.api.database()).clock(clock).working().start().await;
    let ready = desk.settled(file).await;
    assert_eq!(ready["status"], "ready", "{ready}");
    // As if it had died after the passages were written and before the job was done. The job comes first, as where it ends:
    // the file is ready a moment before that.
    let undone = format!(
        "UPDATE jobs SET status = 'running', finish_date = NULL, lease_holder = gen_random_uuid(), \
         lease_until = '2000-01-01' WHERE document_id = {file}; \
         UPDATE documents SET status = 'processing' WHERE document_id = {file}"
    );
    desk.api.database().sql().await.batch_execute(&undone).await.unwrap();
    let again = desk.settled(file).await;
    assert_eq!((&again["status"], &again["chunk_count"]), (&json!("ready"), &ready["chunk_count"]));
    let chunks = desk.count(&format!("SELECT count(*) FROM chunks WHERE document_id = {file}")).await;
    assert_eq!(json!(chunks), ready["chunk_count"]);
    staffed.stop();
}

#[tokio::test]
async fn a_job_that_is_worked_on_is_cancelled_when_its_worker_asks() {
    let desk = Desk::deserted().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    let (store, clock) = (desk.api.database().store(), desk.api.clock());
    let leave = SystemGrant::because("a worker");
    let (holder, now) = (Uuid::from_u128(101), clock.now());
    let job = store.claim_job(&leave, &[Work::INGEST], holder, now, Duration::from_secs(30)).await.unwrap().unwrap();
    let lease = JobLease { app: job.app, job: job.id, holder };
    let cancel = format!("{}/{file}/cancel", desk.files);
    assert_eq!(desk.owner.post(&cancel).send().await.expect(200)["status"], "processing");
    let standing = store.renew_job(&leave, lease, JobProgress::default(), now).await.unwrap();
    assert_eq!(standing, LeaseStanding::Cancelled);
    assert!(store.end_job(&leave, lease, &JobEnding::Cancelled, now).await.unwrap());
    assert_eq!(desk.settled(file).await["status"], "cancelled");
    // A worker that died with a cancelled job: whoever takes it up ends it.
    desk.owner.post(&format!("{}/{file}/retry", desk.files)).send().await.expect(202);
    store
        .claim_job(&leave, &[Work::INGEST], Uuid::from_u128(102), now, Duration::from_secs(30))
        .await
        .unwrap()
        .unwrap();
    desk.owner.post(&cancel).send().await.expect(200);
    clock.advance(time::Duration::seconds(31));
    let staffed = TestApi::builder().database(desk.api.database()).clock(clock).working().start().await;
    assert_eq!(desk.settled(file).await["status"], "cancelled");
    staffed.stop();
}

#[tokio::test]
async fn two_servers_do_each_job_once() {
    let desk = Desk::staffed().await;
    let other = TestApi::builder().database(desk.api.database()).clock(desk.api.clock()).working().start().await;
    let mut files = Vec::new();
    for number in 0..8 {
        files.push(desk.uploaded(&format!("{number}.md"), format!("# {number}\n\nPage {number}.\n").as_bytes()).await);
    }
    for file in files {
        assert_eq!(desk.settled(file).await["status"], "ready");
    }
    desk.idle().await;
    assert_eq!(desk.count("SELECT count(*) FROM jobs WHERE status = 'done' AND attempts = 1").await, 8);
    assert_eq!(desk.count("SELECT count(*) FROM jobs").await, 8);
    other.stop();
}

#[tokio::test]
async fn who_may_not_edit_any_more_has_nothing_done() {
    let desk = Desk::deserted().await;
    let editor = desk.api.client("editor@example.com").await;
    desk.api.make_member(desk.app, &editor, Role::Editor).await;
    let file = editor.post(&desk.files).form(&[], &[("file", "a.md", HANDBOOK)]).send().await.expect(201);
    let demote = format!("UPDATE collaborations SET role = 'viewer' WHERE user_id = {}", editor.user_id);
    desk.api.database().sql().await.batch_execute(&demote).await.unwrap();
    let staffed = TestApi::builder().database(desk.api.database()).clock(desk.api.clock()).working().start().await;
    let told = desk.settled(file["resource_id"].as_i64().unwrap()).await;
    assert_eq!(told["status"], "failed");
    assert!(told["error"].as_str().unwrap().contains("may not do it any more"), "{told}");
    staffed.stop();
}

#[tokio::test]
async fn whoever_follows_more_files_than_one_look_takes_sees_all_of_them_to_their_end() {
    let desk = Desk::deserted().await;
    let one = desk.uploaded("first.md", HANDBOOK).await;
    let sql = desk.api.database().sql().await;
    let more = format!(
        "INSERT INTO documents (app_id, silo_id, repo_id, name, media_type, bytes, status, create_date, update_date) \
         SELECT app_id, silo_id, repo_id, 'File ' || n, media_type, bytes, status, create_date, update_date \
         FROM documents, generate_series(1, 1200) n WHERE document_id = {one}"
    );
    sql.batch_execute(&more).await.unwrap();
    let mut events = desk.owner.get(&format!("{}/events", desk.files.trim_end_matches("/files"))).stream().await;
    let last = desk.count("SELECT max(document_id) FROM documents").await;
    let over = format!("UPDATE documents SET status = 'ready' WHERE document_id < {last}");
    for _ in 0..1000 {
        events.next_of("progress").await;
    }
    sql.batch_execute(&over).await.unwrap();
    let mut told = std::collections::BTreeMap::new();
    loop {
        let event = events.next().await.expect("it goes on").data;
        assert_ne!(event["type"], "done", "a file is being processed");
        told.insert(event["resource_id"].as_i64().unwrap(), event["status"].clone());
        if told.len() == 1001 && told.iter().all(|(file, status)| *file == last || status == "ready") {
            break;
        }
    }
    assert_eq!(told[&last], "processing");
    sql.batch_execute("UPDATE documents SET status = 'ready'").await.unwrap();
    let rest: Vec<Value> = events.rest().await.into_iter().map(|event| event.data).collect();
    let [ready, done] = rest.as_slice() else { panic!("{rest:?}") };
    assert_eq!((&ready["resource_id"], &ready["status"]), (&json!(last), &json!("ready")));
    assert_eq!((&done["type"], &done["files"]), (&json!("done"), &json!(1001)));
}

#[tokio::test]
async fn files_are_found_by_what_is_known_of_them() {
    let desk = Desk::staffed().await;
    let form = |metadata: &'static str| [("folder_id", "null"), ("metadata", metadata)];
    for refused in ["[]", "{", "{\"year\": {\"of\": 1}}"] {
        let answer = desk.owner.post(&desk.files).form(&form(refused), &[("file", "a.md", HANDBOOK)]).send().await;
        assert!(answer.refusal(400).starts_with("metadata"), "{refused}");
    }
    let known = form("{\"year\": 2026, \"lang\": [\"en\", \"de\"]}");
    let file = desk.owner.post(&desk.files).form(&known, &[("file", "a.md", HANDBOOK)]).send().await.expect(201);
    let file = file["resource_id"].as_i64().unwrap();
    assert_eq!(desk.settled(file).await["metadata"], json!({ "year": 2026, "lang": ["en", "de"] }));
    let repository = desk.owner.get(desk.files.trim_end_matches("/files")).send().await.expect(200);
    let search = format!("/internal/silos/{}/search", repository["silo_id"]);
    let found = async |filter: Value| {
        let body = json!({ "query": "opening hours", "filter_metadata": filter });
        let found = desk.owner.post(&search).json(&body).send().await.expect(200);
        !found["results"].as_array().unwrap().is_empty()
    };
    assert!(found(json!({ "lang": "de", "year": { "$gte": 2026 } })).await);
    assert!(!found(json!({ "year": 2027 })).await);
    let path = format!("{}/{file}", desk.files);
    let changed = desk.owner.put(&path).json(&json!({ "metadata": { "year": 2027 } })).send().await.expect(200);
    assert_eq!((&changed["metadata"], &changed["status"]), (&json!({ "year": 2027 }), &json!("ready")));
    assert!(found(json!({ "year": 2027 })).await && !found(json!({ "lang": "de" })).await);
    let kept = desk.owner.put(&path).json(&json!({ "name": "b.md" })).send().await.expect(200);
    assert_eq!(kept["metadata"], json!({ "year": 2027 }));
    let refused = desk.owner.put(&path).json(&json!({ "metadata": { "a": null } })).send().await;
    assert!(refused.refusal(400).starts_with("metadata"));
}

#[tokio::test]
async fn what_is_known_of_a_file_reaches_qdrant() {
    let qdrant = omni_testkit::FakeQdrant::start().await;
    let desk = Desk::at(TestApi::builder().qdrant(&qdrant).working().start().await).await;
    let body = json!({ "name": "Far away", "vector_db_type": "QDRANT" });
    let made = desk.owner.post(&format!("/internal/repositories?app_id={}", desk.app)).json(&body).send().await;
    let made = made.expect(201);
    let desk = Desk { files: format!("/internal/repositories/{}/files", made["repo_id"]), ..desk };
    let file = desk.uploaded("a.md", HANDBOOK).await;
    desk.settled(file).await;
    // It can be found a moment before its job is over.
    desk.idle().await;
    let change = json!({ "metadata": { "year": 2027 } });
    let changed = desk.owner.put(&format!("{}/{file}", desk.files)).json(&change).send().await.expect(200);
    assert_eq!(changed["status"], "processing", "its points are made anew");
    assert_eq!(desk.settled(file).await["status"], "ready");
    let search = format!("/internal/silos/{}/search", made["silo_id"]);
    let body = json!({ "query": "opening hours", "filter_metadata": { "year": 2027 } });
    let found = desk.owner.post(&search).json(&body).send().await.expect(200);
    assert!(!found["results"].as_array().unwrap().is_empty(), "{found}");
}

#[tokio::test]
async fn who_is_gone_has_nothing_done_with_anybody_elses_rights() {
    let desk = Desk::deserted().await;
    let editor = desk.api.client("editor@example.com").await;
    desk.api.make_member(desk.app, &editor, Role::Editor).await;
    let uploaded = async |name: &str| {
        let sent = editor.post(&desk.files).form(&[], &[("file", name, HANDBOOK)]).send().await;
        sent.expect(201)["resource_id"].as_i64().unwrap()
    };
    let (taken_up, waiting) = (uploaded("a.md").await, uploaded("b.md").await);
    let leave = SystemGrant::because("a worker that dies");
    let (store, clock) = (desk.api.database().store(), desk.api.clock());
    store
        .claim_job(&leave, &[Work::INGEST], Uuid::from_u128(103), clock.now(), Duration::from_secs(30))
        .await
        .unwrap()
        .unwrap();
    let operator = desk.api.client("omniadmin@example.com").await;
    operator.delete(&format!("/internal/admin/users/{}", editor.user_id)).send().await.expect(200);
    assert_eq!(desk.settled(waiting).await["status"], "cancelled", "what waited is stopped at once");
    let trail = format!("/internal/admin/audit?app_id={}&action=job.cancel", desk.app);
    assert_eq!(operator.get(&trail).send().await.expect(200)["total"], 2);
    // The worker of the other one died; whoever takes that up next begins nothing.
    clock.advance(time::Duration::seconds(31));
    let staffed = TestApi::builder().database(desk.api.database()).clock(clock).working().start().await;
    assert_eq!(desk.settled(taken_up).await["status"], "cancelled");
    assert_eq!(desk.count("SELECT count(*) FROM jobs WHERE status <> 'cancelled'").await, 0);
    staffed.stop();
}
