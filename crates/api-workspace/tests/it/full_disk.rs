//! A server whose disk is full: a small tmpfs below its files, where the machine lets us mount one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use omni_testkit::{TestApi, TestDatabase, eventually};
use serde_json::json;

use crate::files::{Desk, HANDBOOK};
use crate::leaving_nothing::files_below;

/// Four megabytes, gone when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(folder).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder.to_owned())),
            refused => {
                println!("SKIPPED: no tmpfs can be mounted here, which takes root: {refused:?}");
                None
            }
        }
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filling");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        path
    }

    fn stored(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files_below(&self.0, &mut found);
        found.sort();
        found
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[tokio::test]
async fn an_upload_is_refused_as_such_and_all_else_goes_on_until_there_is_room() {
    let database = Arc::new(TestDatabase::new().await);
    let Some(disk) = SmallDisk::mount(database.blobs()) else { return };
    let desk = Desk::at(TestApi::builder().database(&database).working().start().await).await;
    let health = async || desk.owner.get("/readyz").send().await.expect(200);
    let well = json!({ "status": "ready", "database": true, "files": true });
    assert_eq!(health().await, well);
    let first = desk.uploaded("first.md", HANDBOOK).await;
    assert_eq!(desk.settled(first).await["status"], "ready");

    // One that would not fit, and then no room at all.
    let large = vec![b'x'; 6_000_000];
    assert_eq!(desk.upload("large.txt", &large).await.status, 507);
    let filling = disk.fill();
    let full = disk.stored();
    assert_eq!(health().await, json!({ "status": "degraded", "database": true, "files": false }));
    for content in [&b"# Second"[..], &large] {
        let refused = desk.upload("second.txt", content).await;
        assert!(!refused.refusal(507).contains('/'), "no path of ours");
    }
    eventually("nothing half is kept", async || (disk.stored() == full).then_some(())).await;
    assert_eq!(desk.count("SELECT count(*) FROM documents").await, 1);
    let content = desk.owner.get(&format!("{}/{first}/content", desk.files)).send().await;
    assert_eq!((content.status, &content.body[..]), (200, HANDBOOK));

    fs::remove_file(filling).unwrap();
    assert_eq!(health().await, well);
    let second = desk.uploaded("second.md", b"# Second").await;
    assert_eq!(desk.settled(second).await["status"], "ready");
    drop(desk);
}
