//! What is gone is gone everywhere: in the store of files and in a Qdrant server, too, and soon.

use std::path::{Path, PathBuf};

use omni_testkit::{Client, FakeQdrant, Mishap, TestApi, eventually};
use serde_json::{Value, json};

use crate::files::{Desk, HANDBOOK};

/// Every file below a folder, but for the lock.
pub(crate) fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        // A draft may go while it is looked at.
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        if path.is_dir() {
            files_below(&path, found);
        } else if !path.ends_with("gate.lock") {
            found.push(path);
        }
    }
}

impl Desk {
    fn stored(&self) -> usize {
        let mut found = Vec::new();
        files_below(self.api.database().blobs(), &mut found);
        found.len()
    }

    async fn only_stored(&self, files: usize) {
        // Drafts are removed beside whoever let go of them.
        let what = format!("{files} files are stored");
        eventually(&what, async || (self.stored() == files).then_some(())).await;
    }

    async fn notes(&self) -> i64 {
        self.count("SELECT (SELECT count(*) FROM forgotten_blobs) + (SELECT count(*) FROM forgotten_points)").await
    }

    async fn nothing_noted(&self) {
        eventually("what is gone was worked off", async || (self.notes().await == 0).then_some(())).await;
    }
}

#[tokio::test]
async fn a_form_that_is_refused_and_a_file_that_is_only_read_leave_nothing_on_the_disk() {
    let desk = Desk::at(TestApi::builder().upload_limit(200_000).start().await).await;
    let text = |filling: u8| [&b"text "[..], &[filling; 150_000]].concat();
    let (one, two) = (text(b'1'), text(b'2'));
    let extract = format!("/internal/ocr/extract?app_id={}", desk.app);
    let several: [(&str, &str, &[u8]); 2] = [("file", "a.txt", &one), ("file", "b.txt", &two)];
    let refused = desk.owner.post(&extract).form(&[], &several).send().await.refusal(400);
    assert!(refused.starts_with("file: must be one file"), "{refused}");
    desk.only_stored(0).await;
    desk.owner.post(&extract).form(&[], &several[..1]).send().await.expect(200);
    desk.only_stored(0).await;
    let upload = async |form: &[(&'static str, &str)], files: &[(&'static str, &str, &[u8])]| {
        desk.owner.post(&desk.files).form(form, files).send().await
    };
    upload(&[("folder_id", "987654321")], &several).await.refusal(400);
    upload(&[("folder_id", "x")], &several).await.refusal(400);
    upload(&[], &[several[0], ("file", "b.zip", b"PK\x03\x04\x14\0\0\0\0\0")]).await.refusal(415);
    upload(&[], &[several[0], ("file", "b.txt", &[b'x'; 200_001])]).await.refusal(413);
    let lost = "/internal/repositories/987654321/files";
    desk.owner.post(lost).form(&[], &several).send().await.refusal(404);
    let six: Vec<(&'static str, &str, &[u8])> = (0..6).map(|_| several[0]).collect();
    let refused = upload(&[], &six).await.refusal(413);
    assert!(refused.contains("800000 bytes together"), "{refused}");
    desk.only_stored(0).await;
    upload(&[], &several).await.expect(201);
    desk.only_stored(2).await;
}

#[tokio::test]
async fn a_file_goes_with_the_last_document_that_refers_to_it_whatever_that_goes_with() {
    let desk = Desk::staffed().await;
    let make = async |name: &str| {
        let path = format!("/internal/repositories?app_id={}", desk.app);
        let made = desk.owner.post(&path).json(&json!({ "name": name })).send().await.expect(201);
        format!("/internal/repositories/{}", made["repo_id"])
    };
    let upload = async |files: &str, folder: &str, content: &[u8]| {
        let form = [("folder_id", folder)];
        let made = desk.owner.post(files).form(&form, &[("file", "a.md", content)]).send().await.expect(201);
        desk.api.clock().advance(time::Duration::seconds(1));
        made["resource_id"].as_i64().unwrap()
    };
    let other = make("Other").await;
    let file = upload(&desk.files, "null", HANDBOOK).await;
    upload(&format!("{other}/files"), "null", HANDBOOK).await;
    desk.only_stored(1).await;
    desk.owner.delete(&format!("{}/{file}", desk.files)).send().await.expect(200);
    desk.nothing_noted().await;
    assert_eq!(desk.stored(), 1, "another document refers to it");
    desk.owner.delete(&other).send().await.expect(200);
    desk.only_stored(0).await;

    let third = make("Third").await;
    let number: i64 = third.rsplit('/').next().unwrap().parse().unwrap();
    let folder = json!({ "name": "Rules", "repository_id": number });
    let folder = desk.owner.post(&format!("/internal/folders?app_id={}", desk.app)).json(&folder).send().await;
    let folder = folder.expect(201)["folder_id"].to_string();
    upload(&format!("{third}/files"), &folder, b"# In a folder").await;
    upload(&format!("{third}/files"), "null", b"# In none").await;
    desk.owner.delete(&format!("/internal/folders/{folder}")).send().await.expect(200);
    desk.only_stored(1).await;
    desk.owner.delete(&format!("/internal/apps/{}", desk.app)).send().await.expect(200);
    desk.only_stored(0).await;
    desk.nothing_noted().await;
}

#[tokio::test]
async fn a_file_that_is_on_its_way_in_again_is_not_removed_under_its_sender() {
    let desk = Desk::staffed().await;
    let file = desk.uploaded("handbook.md", HANDBOOK).await;
    desk.settled(file).await;
    // As an upload holds it: the same bytes are kept already, and its document is not there yet.
    let sql = omni_testkit::Connection::open(desk.api.database().url()).await;
    let hold = format!(
        "BEGIN; SELECT pg_advisory_xact_lock_shared(('x' || left(encode(blob_hash, 'hex'), 16))::bit(64)::bigint) \
         FROM documents WHERE document_id = {file}"
    );
    sql.batch_execute(&hold).await.unwrap();
    desk.owner.delete(&format!("{}/{file}", desk.files)).send().await.expect(200);
    // Whoever removes files has been there once another one is gone.
    let other = desk.uploaded("other.md", b"# Other").await;
    desk.settled(other).await;
    desk.owner.delete(&format!("{}/{other}", desk.files)).send().await.expect(200);
    eventually("the other one is gone", async || (desk.notes().await == 1).then_some(())).await;
    desk.only_stored(1).await;
    sql.batch_execute("COMMIT").await.unwrap();
    desk.only_stored(0).await;
    desk.nothing_noted().await;
}

/// A silo in Qdrant, by the path of what it is part of, and that part's own path.
async fn distant(owner: &Client, app: i64, kind: &str, name: &str) -> Value {
    let body = json!({ "name": name, "vector_db_type": "QDRANT" });
    owner.post(&format!("/internal/{kind}?app_id={app}")).json(&body).send().await.expect(201)
}

async fn index(owner: &Client, silo: &Value, text: &str) -> Value {
    let body = json!({ "name": "Text", "text": text });
    owner.post(&format!("/internal/silos/{silo}/documents")).json(&body).send().await.expect(201)
}

async fn points(qdrant: &FakeQdrant, points: usize) {
    eventually("the points are as many as they should be", async || (qdrant.all_points() == points).then_some(()))
        .await;
}

#[tokio::test]
async fn points_in_qdrant_go_with_their_silo_repository_file_and_app() {
    let qdrant = FakeQdrant::start().await;
    let desk = Desk::at(TestApi::builder().qdrant(&qdrant).working().start().await).await;
    let silo = distant(&desk.owner, desk.app, "silos", "Silo").await["silo_id"].clone();
    index(&desk.owner, &silo, "The shop opens at nine.").await;
    assert_eq!(qdrant.all_points(), 1);
    desk.owner.delete(&format!("/internal/silos/{silo}")).send().await.expect(200);
    points(&qdrant, 0).await;

    let repository = distant(&desk.owner, desk.app, "repositories", "Repository").await;
    let repository = format!("/internal/repositories/{}", repository["repo_id"]);
    let desk = Desk { files: format!("{repository}/files"), ..desk };
    let (one, two) = (desk.uploaded("a.md", b"# One").await, desk.uploaded("b.md", b"# Two").await);
    for file in [one, two] {
        assert_eq!(desk.settled(file).await["status"], "ready");
    }
    desk.idle().await;
    assert_eq!(qdrant.all_points(), 2);
    // One that fails when it is taken in once more is not found any more, and not kept there either.
    let lost = format!("UPDATE documents SET blob_hash = sha256('lost') WHERE document_id = {one}");
    desk.api.database().sql().await.batch_execute(&lost).await.unwrap();
    desk.owner.post(&format!("{}/{one}/retry", desk.files)).send().await.expect(202);
    assert_eq!(desk.settled(one).await["status"], "failed");
    points(&qdrant, 1).await;
    desk.owner.delete(&repository).send().await.expect(200);
    points(&qdrant, 0).await;

    let silo = distant(&desk.owner, desk.app, "silos", "Another").await["silo_id"].clone();
    index(&desk.owner, &silo, "The shop closes at five.").await;
    desk.owner.delete(&format!("/internal/apps/{}", desk.app)).send().await.expect(200);
    points(&qdrant, 0).await;
    desk.nothing_noted().await;
}

#[tokio::test]
async fn nobody_who_deletes_waits_for_a_qdrant_that_is_away_and_it_forgets_when_it_is_back() {
    let qdrant = FakeQdrant::start().await;
    let desk = Desk::at(TestApi::builder().qdrant(&qdrant).working().start().await).await;
    let silo = distant(&desk.owner, desk.app, "silos", "Silo").await["silo_id"].clone();
    let gone = index(&desk.owner, &silo, "The shop opens at nine.").await["document_id"].clone();
    index(&desk.owner, &silo, "The shop closes at five.").await;
    for _ in 0..4 {
        qdrant.next(Mishap::Answer(503, "text/plain", b"not now".to_vec()));
    }
    let documents = format!("/internal/silos/{silo}/documents");
    desk.owner.delete(&documents).json(&json!({ "document_ids": [gone] })).send().await.expect(200);
    points(&qdrant, 1).await;
    desk.nothing_noted().await;
    // What is indexed again keeps its points, whatever of it went before.
    let file = distant(&desk.owner, desk.app, "repositories", "Repository").await;
    let desk = Desk { files: format!("/internal/repositories/{}/files", file["repo_id"]), ..desk };
    let file = desk.uploaded("a.md", b"# One").await;
    desk.settled(file).await;
    desk.idle().await;
    desk.owner.post(&format!("{}/{file}/retry", desk.files)).send().await.expect(202);
    assert_eq!(desk.settled(file).await["status"], "ready");
    desk.nothing_noted().await;
    assert_eq!(qdrant.all_points(), 2);
}
