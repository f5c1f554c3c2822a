//! What `OMNI_CONTROL_LOCALITY` comes to in the program.

use omni_testkit::TestDatabase;

use crate::program::{Program, command, ended};

const SECRETS: &str = "/api/v2/_internal/subprocess-config";

/// Rows 17 and 20: the setting reaches the control plane, and its parts add up.
#[tokio::test(flavor = "multi_thread")]
async fn the_control_plane_is_as_strict_as_it_is_told_to_be() {
    let (database, folder) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
    let data = folder.path().join("data").display().to_string();
    for (locality, forwarded) in [("loopback", 200), ("peer_uid", 200), ("strict, peer_uid", 403)] {
        let program = Program::start(&[
            ("OMNI_AUTH_MODE", "fake"),
            ("OMNI_DATA_DIR", &data),
            ("DATABASE_URL", database.url()),
            ("NATS_URL", "nats://127.0.0.1:9"),
            ("OMNI_CONTROL_LOCALITY", locality),
        ])
        .await;
        let neighbour = program.neighbour();
        assert_eq!(neighbour.get(SECRETS).send().await.status, 200, "{locality}");
        let by_proxy = neighbour.get(SECRETS).header("x-forwarded-for", "127.0.0.1").send().await;
        assert_eq!(by_proxy.status, forwarded, "{locality}: {by_proxy}");
        program.stop().await;
    }
}

#[tokio::test]
async fn a_word_that_means_nothing_stops_the_start() {
    let settings = [("OMNI_AUTH_MODE", "fake"), ("OMNI_CONTROL_LOCALITY", "localhost")];
    let mut check = command(&settings);
    check.arg("--check-config");
    let (code, said) = ended(check).await;
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("OMNI_CONTROL_LOCALITY") && said.contains("`strict` or `peer_uid`"), "{said}");
}
