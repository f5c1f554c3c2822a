//! Names that resolve to this machine and are not its own.

use crate::plane::{CANARY, Plane, SECRETS};

/// Row 18: a page whose name was made to resolve to this machine sends its own name along.
#[tokio::test(flavor = "multi_thread")]
async fn only_this_machines_own_names_are_answered() {
    let plane = Plane::start().await;
    let port = plane.port();
    let absolute = |host: &str| SECRETS.replace("/api", &format!("http://{host}:{port}/api"));
    let at = |host: &str| format!("{host}:{port}");
    let (own, foreign) = (at("localhost"), at("evil.example"));
    for (line, hosts) in [
        (SECRETS.to_owned(), vec![&*own]),
        (SECRETS.to_owned(), vec![&*at("127.0.0.1")]),
        (SECRETS.to_owned(), vec![&*at("[::1]")]),
        (SECRETS.to_owned(), vec!["LOCALHOST"]),
        (absolute("localhost"), vec![&*own]),
    ] {
        assert_eq!(status(&plane, &line, &hosts).await, 200, "{line} {hosts:?}");
    }
    for (line, hosts) in [
        (SECRETS.to_owned(), vec![&*foreign]),
        (SECRETS.to_owned(), vec!["evil.example"]),
        (SECRETS.to_owned(), vec![&*at("localhost.evil")]),
        (SECRETS.to_owned(), vec![&*at("127.0.0.1.evil")]),
        (SECRETS.to_owned(), vec![&*at("127.0.0.1.nip.io")]),
        (SECRETS.to_owned(), vec![&*at("evil.localhost")]),
        (SECRETS.to_owned(), vec![&*at("localhost.")]),
        (SECRETS.to_owned(), vec!["localhost@evil.example"]),
        (SECRETS.to_owned(), vec!["localhost:8882@evil.example"]),
        (SECRETS.to_owned(), vec!["localhost/evil"]),
        (SECRETS.to_owned(), vec!["localhost, evil.example"]),
        (SECRETS.to_owned(), vec![&*at("0.0.0.0")]),
        (SECRETS.to_owned(), vec![&*at("10.0.0.1")]),
        (SECRETS.to_owned(), vec![""]),
        (SECRETS.to_owned(), vec![]),
        (format!("{SECRETS} HTTP/1.0"), vec![]),
        (SECRETS.to_owned(), vec![&*own, &*foreign]),
        (SECRETS.to_owned(), vec![&*foreign, &*own]),
        (SECRETS.to_owned(), vec![&*own, &*own]),
        (absolute("evil.example"), vec![&*own]),
        (absolute("evil.example"), vec![&*foreign]),
        (absolute("localhost"), vec![&*foreign]),
        (absolute("localhost"), vec![]),
    ] {
        let status = status(&plane, &line, &hosts).await;
        assert!(matches!(status, 400 | 403), "{line} {hosts:?}: {status}");
    }
    plane.control.stop().await.unwrap();
}

async fn status(plane: &Plane, line: &str, hosts: &[&str]) -> u16 {
    let headers: Vec<_> = hosts.iter().map(|host| ("Host", *host)).collect();
    let answer = plane.ask(line, &headers, "").await;
    assert_eq!(String::from_utf8_lossy(&answer.body).contains(CANARY), answer.status == 200, "{hosts:?}: {answer}");
    answer.status
}
