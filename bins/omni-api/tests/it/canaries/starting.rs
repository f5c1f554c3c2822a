//! Starts that fail, and the report on a configuration.

use crate::canaries::canary::Canary;
use crate::canaries::setting::{CLIENT_SECRET, DATABASE_PASSWORD, NATS_PASSWORD};
use crate::program::{command, ended};

/// Row 21, before there is anything to ask: with an unusable configuration, without a database, and with neither wrong.
#[tokio::test]
async fn no_start_tells_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let database = format!("postgres://omni:{DATABASE_PASSWORD}@127.0.0.1:9/omni");
    let not_a_database = format!("mysql://omni:{DATABASE_PASSWORD}@127.0.0.1/omni");
    let nats = format!("nats://omni:{NATS_PASSWORD}@127.0.0.1:9");
    let not_nats = format!("http://omni:{NATS_PASSWORD}@127.0.0.1:9");
    let canaries = [DATABASE_PASSWORD, NATS_PASSWORD, CLIENT_SECRET].map(|secret| Canary::new("secret", secret));
    for (besides, argument, expected) in [
        (vec![], Some("--check-config"), 0),
        (vec![("OMNI_HTTP_ADDR", "nowhere")], Some("--check-config"), 78),
        (vec![("DATABASE_URL", &*not_a_database), ("NATS_URL", &not_nats)], Some("--check-config"), 78),
        (vec![], None, 1),
    ] {
        let mut settings = vec![
            ("OMNI_HTTP_ADDR", "127.0.0.1:0"),
            ("OMNI_CONTROL_ADDR", "127.0.0.1:0"),
            ("OMNI_DATA_DIR", &data),
            ("DATABASE_URL", &database),
            ("NATS_URL", &nats),
            ("OMNI_OIDC_ISSUER", "https://id.example.com"),
            ("OMNI_OIDC_CLIENT_ID", "omni"),
            ("OMNI_OIDC_CLIENT_SECRET", CLIENT_SECRET),
            ("OMNI_PUBLIC_URL", "https://omni.example.com"),
            ("LOG_LEVEL", "trace"),
        ];
        settings.retain(|(name, _)| besides.iter().all(|(other, _)| other != name));
        settings.extend(&besides);
        let mut program = command(&settings);
        program.args(argument);
        let (code, said) = ended(program).await;
        assert_eq!(code, Some(expected), "{besides:?} {argument:?}: {said}");
        for canary in &canaries {
            canary.assert_absent("the program", &said);
        }
    }
}
