//! Forms that are made to cost more than they bring: refused soon, with a reason, and nothing of them is kept. And names
//! that lead somewhere, which lead nowhere here.

use std::path::Path;
use std::time::{Duration, Instant};

use omni_testkit::{TestApi, raw};
use serde_json::json;

use crate::files::Desk;

/// How long a refusal may take after the limit is reached, on a machine that is shared with other tests.
const SOON: Duration = Duration::from_secs(5);

/// The files on the disk, drafts included.
fn on_disk(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { on_disk(&entry.path()) } else { 1 }).sum()
}

fn part(name: &str, content: &str) -> String {
    format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n")
}

#[tokio::test]
async fn a_form_that_is_none_or_far_too_much_is_refused_soon_and_nothing_is_left() {
    let desk = Desk::at(TestApi::builder().upload_limit(1_000_000).start().await).await;
    let before = desk.api.database().snapshot().await;
    let blobs = desk.api.database().blobs();
    let kept = on_disk(blobs);
    let post = || desk.owner.post(&desk.files);
    let many: String = (0..10_000).map(|n| part(&format!("{n}.txt"), "a")).collect();
    let fields = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n".repeat(10_000);
    let open = part("a.txt", "There is no end.");
    let twice = "--x\r\nContent-Disposition: form-data; name=\"folder_id\"\r\n\r\nnull\r\n".repeat(2);
    let body = |parts: &str| format!("{parts}--x--\r\n");
    let kind = "multipart/form-data; boundary=x";
    for (what, call, statuses) in [
        ("10 000 files", post().body(kind, body(&many)), &[400, 413][..]),
        ("10 000 fields", post().body(kind, body(&fields)), &[400, 413]),
        ("no boundary", post().body("multipart/form-data", body(&open)), &[400]),
        ("no end", post().body(kind, open.clone()), &[400]),
        ("no parts", post().body(kind, "--x--\r\n"), &[400]),
        ("a field twice", post().body(kind, body(&format!("{twice}{open}"))), &[400]),
        (
            "a file that is too large behind one that is not",
            {
                let large = "a".repeat(1_000_001);
                post().body(kind, body(&format!("{open}{}", part("b.txt", &large))))
            },
            &[413],
        ),
        (
            "a folder that is none behind a file",
            {
                let folder = "--x\r\nContent-Disposition: form-data; name=\"folder_id\"\r\n\r\n987654321\r\n";
                post().body(kind, body(&format!("{open}{folder}")))
            },
            &[400, 404],
        ),
    ] {
        let begun = Instant::now();
        let answer = call.send().await;
        assert!(statuses.contains(&answer.status), "{what}: {answer}");
        answer.detail();
        assert!(begun.elapsed() < SOON, "{what} took {:?}", begun.elapsed());
        assert_eq!(on_disk(blobs), kept, "{what} left a file");
    }
    assert!(desk.api.database().snapshot().await == before);
}

#[tokio::test]
async fn ten_gigabytes_are_refused_when_the_first_megabyte_is_over() {
    let desk = Desk::at(TestApi::builder().upload_limit(1_000_000).start().await).await;
    let kept = on_disk(desk.api.database().blobs());
    let mut request = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nConnection: close\r\nContent-Length: 10000000000\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n{}",
        desk.files,
        desk.owner.cookie().unwrap(),
        part("a.txt", "").trim_end(),
    )
    .into_bytes();
    request.extend_from_slice(b"\r\n\r\n");
    request.resize(request.len() + 1_100_000, b'a');
    let begun = Instant::now();
    let answer = raw(desk.api.address(), &request).await;
    assert_eq!(answer.status, 413, "{answer}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(on_disk(desk.api.database().blobs()), kept);
}

#[tokio::test]
async fn a_folder_may_stand_before_the_file_and_behind_it_and_one_name_may_come_twice() {
    let desk = Desk::deserted().await;
    let repository = desk.files.split('/').nth(3).unwrap();
    let folder = json!({ "name": "Letters", "repository_id": repository.parse::<i64>().unwrap() });
    let folder = desk.owner.post(&format!("/internal/folders?app_id={}", desk.app)).json(&folder).send().await;
    let folder = folder.expect(201)["folder_id"].clone();
    let field = format!("--x\r\nContent-Disposition: form-data; name=\"folder_id\"\r\n\r\n{folder}\r\n");
    let files = format!("{}{}", part("a.txt", "one"), part("a.txt", "another"));
    for form in [format!("{field}{files}--x--\r\n"), format!("{files}{field}--x--\r\n")] {
        desk.owner.post(&desk.files).body("multipart/form-data; boundary=x", form).send().await.expect(201);
    }
    let inside = desk.owner.get(&format!("{}?folder_id={folder}", desk.files)).send().await.expect(200);
    assert_eq!(inside["total"], json!(4));
}

#[tokio::test]
async fn a_name_is_what_a_file_is_called_and_never_where_it_is() {
    let desk = Desk::deserted().await;
    let root = desk.api.database().blobs();
    let long = format!("{}.txt", "a".repeat(4_096));
    for name in
        ["../../x.txt", "/etc/cron.d/x.txt", "C:\\x.txt", "a/../../b.txt", "\u{202e}txt.exe.txt", "a.txt/", &long]
    {
        let answer = desk.upload(name, b"text").await;
        if answer.status == 400 {
            answer.detail();
            continue;
        }
        let file = answer.expect(201);
        let shown = file["filename"].as_str().unwrap();
        assert!(!shown.contains(['/', '\\', '\u{202e}']) && shown.len() <= 255, "{name:?} is called {shown:?}");
        let content = desk.owner.get(&format!("{}/{}/content", desk.files, file["resource_id"])).send().await;
        assert!(content.status == 200 && content.bytes().ends_with("text"), "{name:?}: {content}");
    }
    // Where the names would have led, from the store and from the folders in it.
    for folder in [root, root.parent().unwrap(), root.parent().unwrap().parent().unwrap(), Path::new("/etc/cron.d")] {
        assert!(!folder.join("x.txt").exists() && !folder.join("b.txt").exists(), "a file in {}", folder.display());
    }
}
