//! A control plane to ask, in this process.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use omni_api::{Control, OperatingSystem, SystemClock};
use omni_api_control::{ControlPlane, Locality};
use omni_bus::Bus;
use omni_egress::{Allow, Egress, EgressPolicy, Request};
use omni_registry::{NodeId, Terms};
use omni_testkit::{Answer, Snapshot, TestDatabase, raw};
use omni_wire::control::{
    StartupOptions, SubprocessAuth, SubprocessConfig, SubprocessDatabase, SubprocessFeatures, SubprocessLogging,
    SubprocessNats, SubprocessPaths,
};
use serde_json::{Value, json};

/// The endpoint that tells secrets.
pub(crate) const SECRETS: &str = "GET /api/v2/_internal/subprocess-config";
/// The endpoint that changes something.
pub(crate) const REGISTER: &str = "POST /api/v2/_internal/services/register";
/// What every secret of the plane contains.
pub(crate) const CANARY: &str = "c4n4ry";

pub(crate) struct Plane {
    pub(crate) control: Control,
    pub(crate) database: TestDatabase,
    egress: Egress,
}

impl Plane {
    /// One as it is by default.
    pub(crate) async fn start() -> Self {
        Self::with(Locality::default()).await
    }

    /// One that asks this of its callers.
    pub(crate) async fn with(locality: Locality) -> Self {
        Self::bound("127.0.0.1:0", locality).await
    }

    /// One that listens elsewhere than the configuration allows.
    pub(crate) async fn bound(address: &str, locality: Locality) -> Self {
        let database = TestDatabase::new().await;
        let plane = ControlPlane {
            store: database.store(),
            locality,
            bus: Bus::connect(&"nats://127.0.0.1:9".into(), "test").await.unwrap(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OperatingSystem),
            started: Instant::now(),
            node: NodeId::new("here").unwrap(),
            terms: Terms::default(),
            subprocess_config: subprocess_config(),
            startup: StartupOptions {
                delay_between_channels_ms: 2_000,
                max_concurrent_connections: 5,
                health_check_timeout_ms: 30_000,
            },
            mass_silence: AtomicBool::new(false),
        };
        let control = Control::start(TcpListener::bind(address).unwrap(), Arc::new(plane)).unwrap();
        let allow = Allow::parse(&control.address().to_string()).unwrap();
        let egress = Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap();
        Self { control, egress, database }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Request::get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Request::post(self.url(path)).json(&body).unwrap()).await
    }

    pub(crate) async fn register(&self, body: Value) -> Value {
        let (status, answer) = self.post("services/register", body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        answer
    }

    pub(crate) async fn beat(&self, service: &Value) -> (u16, Value) {
        self.post("services/heartbeat", json!({ "serviceId": service["serviceId"], "status": "healthy" })).await
    }

    pub(crate) async fn channel_is_up(&self) -> Value {
        let (status, health) = self.get("health").await;
        assert_eq!((status, &health["checks"]["database"]), (200, &json!(true)), "{health}");
        assert_eq!(health["status"], "degraded", "NATS is away in these tests");
        health["checks"]["channels"]["discord"].clone()
    }

    pub(crate) fn port(&self) -> u16 {
        self.control.address().port()
    }

    /// Sends a head as it is written, without any header of its own but those that end the exchange.
    pub(crate) async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        raw(SocketAddr::from(([127, 0, 0, 1], self.port())), request(line, headers, body).as_bytes()).await
    }

    /// A `Host` header as programs on this machine send it.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port())
    }

    /// What is stored, to see that nothing has changed.
    pub(crate) async fn stored(&self) -> Snapshot {
        self.database.snapshot().await
    }

    fn url(&self, path: &str) -> url::Url {
        format!("http://{}/api/v2/_internal/{path}", self.control.address()).parse().unwrap()
    }

    async fn send(&self, request: Request) -> (u16, Value) {
        let answer = self.egress.send(request).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

/// A request of HTTP/1.1, unless its line names another version.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let version = if line.ends_with("HTTP/1.0") { "" } else { " HTTP/1.1" };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}{version}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Sees that an answer refuses whoever is not on this machine, in the contract's own words.
#[track_caller]
pub(crate) fn assert_not_local(answer: &Answer, case: &str) {
    assert_eq!(answer.status, 403, "{case}: {answer}");
    assert_eq!(answer.body, r#"{"error":"Internal endpoint - localhost only"}"#, "{case}");
}

pub(crate) fn subprocess_config() -> SubprocessConfig {
    let folder = || "/tmp".to_owned();
    let secret = |text: &str| format!("{text}{CANARY}");
    SubprocessConfig {
        database: SubprocessDatabase {
            connection_uri: secret("postgresql:///omni?password=").into(),
            provider: "postgresql".to_owned(),
            max_connections: 4,
        },
        nats: SubprocessNats { url: "nats://127.0.0.1:9".into(), user: None, password: None, tls: false },
        auth: SubprocessAuth { internal_api_key: secret("internal_sk_").into() },
        logging: SubprocessLogging { level: "info".to_owned(), format: "json".to_owned() },
        paths: SubprocessPaths { data_dir: folder(), auth_dir: folder(), media_dir: folder(), logs_dir: folder() },
        features: SubprocessFeatures { media_processing: false, agent_routing: false, access_control: false },
    }
}
