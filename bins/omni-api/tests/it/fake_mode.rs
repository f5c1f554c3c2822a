//! FAKE mode believes whoever connects, so a program that strangers could reach does not start in it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use omni_api::BAD_CONFIGURATION;

/// What an idle machine takes for it is a tenth of that.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Starts the program with nothing but these settings; answers how it exits, what it says and how long it took.
fn start(settings: &[(&str, &str)]) -> (Option<i32>, String, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_omni-api"))
        .env_clear()
        .env("OMNI_AUTH_MODE", "fake")
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let took = began.elapsed();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it has begun to work");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), took)
}

#[test]
fn it_does_not_start_where_strangers_could_reach_it() {
    for (setting, value) in [
        ("OMNI_HTTP_ADDR", "0.0.0.0:0"),
        ("OMNI_HTTP_ADDR", "[::]:0"),
        ("OMNI_HTTP_ADDR", "192.0.2.1:8000"),
        ("OMNI_PUBLIC_URL", "https://omni.example"),
        ("OMNI_PUBLIC_URL", "http://omni.example"),
    ] {
        let (code, said, took) = start(&[(setting, value)]);
        assert_eq!(code, Some(i32::from(BAD_CONFIGURATION)), "{setting}={value}: {said}");
        assert!(said.contains(setting) && said.contains("OMNI_AUTH_MODE"), "{setting}={value}: {said}");
        assert!(took < AT_ONCE, "{setting}={value} took {took:?}");
    }
}
