//! URLs that services register, and what nobody is to be made to ask.

use std::io::ErrorKind;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::plane::Plane;

/// A port of this machine that nobody should connect to.
struct Sentinel(TcpListener);

impl Sentinel {
    fn stand() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_alone(&self) {
        assert_eq!(self.0.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody has connected");
    }
}

fn service(port: u16, health: &str) -> Value {
    json!({ "name": "media", "type": "processor", "pid": 1, "port": port, "healthEndpoint": health })
}

/// Row 22: a health check leads to the service itself or is refused, and registering one asks nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_that_leads_elsewhere_is_refused_and_never_asked() {
    let plane = Plane::start().await;
    let (own, other) = (Sentinel::stand(), Sentinel::stand());
    let before = plane.stored().await;
    for url in [
        "http://169.254.169.254/".to_owned(),
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        "http://metadata.google.internal/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "file:".to_owned(),
        format!("gopher://127.0.0.1:{}/", own.port()),
        format!("ftp://127.0.0.1:{}/", own.port()),
        "unix:/run/docker.sock".to_owned(),
        "javascript:alert(1)".to_owned(),
        format!("http://10.0.0.1:{}/", own.port()),
        format!("http://omni.example:{}/health", own.port()),
        format!("http://localhost.evil:{}/", own.port()),
        format!("http://127.0.0.1.nip.io:{}/", own.port()),
        format!("http://0.0.0.0:{}/", own.port()),
        format!("http://[::ffff:10.0.0.1]:{}/", own.port()),
        format!("http://127.0.0.1:{}/health", other.port()),
        format!("http://127.0.0.1:{}@evil.example/", own.port()),
        format!("http://someone:secret@127.0.0.1:{}/", own.port()),
        "http://127.0.0.1/health".to_owned(),
        "http://127.0.0.1:0/".to_owned(),
        "/health".to_owned(),
        String::new(),
    ] {
        let (status, answer) = plane.post("services/register", service(own.port(), &url)).await;
        assert_eq!((status, &answer["code"]), (400, &json!("INVALID")), "{url}: {answer}");
        assert!(answer["error"].as_str().unwrap().starts_with("healthEndpoint"), "{url}: {answer}");
    }
    assert_eq!(plane.stored().await, before);

    let health = format!("http://127.0.0.1:{}/health", own.port());
    let registered = plane.register(service(own.port(), &health)).await;
    let elsewhere = json!({
        "name": "media", "type": "processor", "pid": 1,
        "healthEndpoint": format!("http://127.0.0.1:{}/", other.port()),
    });
    let (status, answer) = plane.post("services/register", elsewhere).await;
    assert_eq!(status, 400, "a later registration of the same service: {answer}");
    assert_eq!(plane.beat(&registered).await.0, 200);
    assert_eq!(plane.get("health").await.0, 200);
    own.assert_alone();
    other.assert_alone();
    plane.control.stop().await.unwrap();
}
