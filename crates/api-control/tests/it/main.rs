#![cfg(test)]
//! The service registry as services see it: over HTTP, on a real database.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use omni_api::{Control, OperatingSystem, SystemClock};
use omni_api_control::ControlPlane;
use omni_bus::Bus;
use omni_egress::{Allow, Egress, EgressPolicy, Request};
use omni_registry::{NodeId, Terms};
use omni_testkit::TestDatabase;
use omni_wire::control::{
    StartupOptions, SubprocessAuth, SubprocessConfig, SubprocessDatabase, SubprocessFeatures, SubprocessLogging,
    SubprocessNats, SubprocessPaths,
};
use serde_json::{Value, json};

struct Plane {
    control: Control,
    egress: Egress,
    _database: TestDatabase,
}

impl Plane {
    async fn start() -> Self {
        let database = TestDatabase::new().await;
        let nowhere = "nats://127.0.0.1:9";
        let plane = ControlPlane {
            store: database.store(),
            bus: Bus::connect(&nowhere.into(), "test").await.unwrap(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OperatingSystem),
            started: Instant::now(),
            node: NodeId::new("here").unwrap(),
            terms: Terms::default(),
            subprocess_config: subprocess_config(nowhere),
            startup: StartupOptions {
                delay_between_channels_ms: 2_000,
                max_concurrent_connections: 5,
                health_check_timeout_ms: 30_000,
            },
            mass_silence: AtomicBool::new(false),
        };
        let control = Control::start(TcpListener::bind("127.0.0.1:0").unwrap(), Arc::new(plane)).unwrap();
        let allow = Allow::parse(&control.address().to_string()).unwrap();
        let egress = Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap();
        Self { control, egress, _database: database }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(Request::get(self.url(path))).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Request::post(self.url(path)).json(&body).unwrap()).await
    }

    async fn register(&self, body: Value) -> Value {
        let (status, answer) = self.post("services/register", body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
        answer
    }

    async fn beat(&self, service: &Value) -> (u16, Value) {
        self.post("services/heartbeat", json!({ "serviceId": service["serviceId"], "status": "healthy" })).await
    }

    async fn channel_is_up(&self) -> Value {
        let (status, health) = self.get("health").await;
        assert_eq!((status, &health["checks"]["database"]), (200, &json!(true)), "{health}");
        assert_eq!(health["status"], "degraded", "NATS is away in these tests");
        health["checks"]["channels"]["discord"].clone()
    }

    fn url(&self, path: &str) -> url::Url {
        format!("http://{}/api/v2/_internal/{path}", self.control.address()).parse().unwrap()
    }

    async fn send(&self, request: Request) -> (u16, Value) {
        let answer = self.egress.send(request).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn subprocess_config(nats: &str) -> SubprocessConfig {
    let folder = || "/tmp".to_owned();
    SubprocessConfig {
        database: SubprocessDatabase {
            connection_uri: "postgresql:///omni".into(),
            provider: "postgresql".to_owned(),
            max_connections: 4,
        },
        nats: SubprocessNats { url: nats.into(), user: None, password: None, tls: false },
        auth: SubprocessAuth { internal_api_key: "internal_sk_test".into() },
        logging: SubprocessLogging { level: "info".to_owned(), format: "json".to_owned() },
        paths: SubprocessPaths { data_dir: folder(), auth_dir: folder(), media_dir: folder(), logs_dir: folder() },
        features: SubprocessFeatures { media_processing: false, agent_routing: false, access_control: false },
    }
}

fn discord(pid: u32, metadata: &Value) -> Value {
    json!({ "name": "discord", "type": "channel", "pid": pid, "metadata": metadata })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_lives_from_registration_to_deregistration() {
    let plane = Plane::start().await;
    let token = json!({ "spawnToken": "0123456789abcdef" });
    let service = plane.register(discord(100, &token)).await;
    assert_eq!((&service["heartbeatIntervalMs"], &service["leaseTtlMs"]), (&json!(10_000), &json!(30_000)));
    let by_its_parent = plane.register(discord(7, &token)).await;
    assert_eq!(by_its_parent["serviceId"], service["serviceId"]);
    assert_eq!(by_its_parent["generation"], service["generation"]);

    assert_eq!(plane.beat(&service).await, (200, json!({ "acknowledged": true })));
    assert_eq!(plane.channel_is_up().await, json!(true));

    for _ in 0..2 {
        let goodbye = json!({ "serviceId": service["serviceId"], "reason": "exited:0" });
        assert_eq!(plane.post("services/deregister", goodbye).await, (200, json!({ "success": true })));
    }
    let (status, gone) = plane.beat(&service).await;
    assert_eq!((status, &gone["acknowledged"], &gone["code"]), (410, &json!(false), &json!("SERVICE_GONE")));
    let (status, again) = plane.post("services/register", discord(100, &token)).await;
    assert_eq!((status, &again["code"]), (410, &json!("SERVICE_GONE")), "a token is good for one life");
    assert_eq!(plane.channel_is_up().await, Value::Null);
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_channel_supersedes_the_old_one() {
    let plane = Plane::start().await;
    let old = plane.register(discord(1, &json!({ "startTime": 10 }))).await;
    let new = plane.register(discord(1, &json!({ "startTime": 20 }))).await;
    assert!(new["generation"].as_i64() > old["generation"].as_i64());
    let (status, answer) = plane.beat(&old).await;
    assert_eq!((status, &answer["acknowledged"]), (409, &json!(false)));
    assert_eq!(answer["commands"][0]["type"], "shutdown");
    assert_eq!(answer["commands"][0]["data"]["reason"], "superseded");
    assert_eq!(plane.beat(&new).await.0, 200);
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_stand_beside_each_other_unless_one_is_to_be_alone() {
    let plane = Plane::start().await;
    let worker = |start: u32, alone: bool| {
        let metadata = json!({ "startTime": start, "singleton": alone });
        json!({ "name": "gateway", "type": "worker", "pid": 1, "metadata": metadata })
    };
    let (first, second) = (plane.register(worker(1, false)).await, plane.register(worker(2, false)).await);
    assert_eq!(plane.beat(&first).await, (200, json!({ "acknowledged": true })));

    let alone = plane.register(worker(3, true)).await;
    for other in [&first, &second] {
        let (status, answer) = plane.beat(other).await;
        let data = &answer["commands"][0]["data"];
        assert_eq!((status, &answer["commands"][0]["type"]), (200, &json!("shutdown")), "{answer}");
        assert_eq!((&data["reason"], &data["generation"]), (&json!("superseded"), &other["generation"]));
        assert!(data["deadlineMs"].as_u64().is_some_and(|left| left <= 60_000), "{data}");
        assert_eq!(plane.beat(other).await.1["commands"][0]["data"]["commandId"], data["commandId"]);
    }
    assert_eq!(plane.beat(&alone).await, (200, json!({ "acknowledged": true })));
    plane.control.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_what_is_unknown_is_not_found() {
    let plane = Plane::start().await;
    let (status, answer) = plane.beat(&json!({ "serviceId": "svc_nobody_0" })).await;
    assert_eq!((status, &answer["code"]), (404, &json!("SERVICE_UNKNOWN")));
    let elsewhere = json!({ "name": "a", "type": "worker", "pid": 1, "healthEndpoint": "http://10.0.0.1/" });
    for (body, field) in [
        (json!({ "name": "a", "type": "worker" }), "pid"),
        (json!({ "name": "a b", "type": "worker", "pid": 1 }), "name"),
        (json!({ "name": "a", "type": "robot", "pid": 1 }), "type"),
        (elsewhere, "healthEndpoint"),
    ] {
        let (status, answer) = plane.post("services/register", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().starts_with(field), "{answer}");
    }
    let goodbye = json!({ "serviceId": "svc_nobody_0" });
    assert_eq!(plane.post("services/deregister", goodbye).await, (200, json!({ "success": true })));
    plane.control.stop().await.unwrap();
}
