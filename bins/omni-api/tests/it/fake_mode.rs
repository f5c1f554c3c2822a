//! FAKE mode believes whoever connects, so a program that strangers could reach does not start in it.

use std::process::Stdio;
use std::time::Duration;

use omni_api::BAD_CONFIGURATION;
use tokio::process::Command;

/// An idle machine takes a tenth of the second that it may take; one that compiles beside it takes longer.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Starts the program with nothing but these settings; answers how it exits and what it says.
async fn start(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_omni-api"))
        .env_clear()
        .env("OMNI_AUTH_MODE", "fake")
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(AT_ONCE, output).await.unwrap_or_else(|_| panic!("it starts with {settings:?}"));
    let output = output.unwrap();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it has begun to work");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn it_does_not_start_where_strangers_could_reach_it() {
    for (setting, value) in [
        ("OMNI_HTTP_ADDR", "0.0.0.0:0"),
        ("OMNI_HTTP_ADDR", "[::]:0"),
        ("OMNI_HTTP_ADDR", "192.0.2.1:8000"),
        ("OMNI_PUBLIC_URL", "https://omni.example"),
        ("OMNI_PUBLIC_URL", "http://omni.example"),
        ("OMNI_PUBLIC_URL", "http://192.0.2.1:8000"),
    ] {
        let (code, said) = start(&[(setting, value)]).await;
        assert_eq!(code, Some(i32::from(BAD_CONFIGURATION)), "{setting}={value}: {said}");
        assert!(said.contains(setting) && said.contains("OMNI_AUTH_MODE"), "{setting}={value}: {said}");
    }
}
