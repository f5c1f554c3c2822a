use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use omni_dataplane::{Options, Server};
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_postgres::Config;

use crate::setting::{connect, data_dir, eventually, furnished_places, runs, setting, start, we_are_root};

#[tokio::test]
async fn what_is_stored_is_there_after_a_restart() {
    let places = furnished_places().await;
    let (home, data) = data_dir();

    let plane = start(Options::new(&data, places.clone())).await.unwrap();
    let (client, _driver) = connect(plane.database_url().unwrap()).await;
    client
        .batch_execute("CREATE EXTENSION vector; CREATE TABLE t (v vector(3)); INSERT INTO t VALUES ('[1,2,3]')")
        .await
        .unwrap();
    assert_eq!(setting(&client, "fsync").await, "on");
    assert_eq!(setting(&client, "max_connections").await, "100");
    assert_eq!(setting(&client, "server_encoding").await, "UTF8");
    let pids: Vec<_> = plane.running().map(|running| running.pid).collect();
    plane.stop().await.unwrap();
    assert!(!pids.into_iter().any(runs));

    let plane = start(Options::new(&data, places)).await.unwrap();
    let (client, _driver) = connect(plane.database_url().unwrap()).await;
    let nearest = client.query_one("SELECT (v <=> '[1,2,3]')::float8 FROM t", &[]).await.unwrap();
    assert!(nearest.get::<_, f64>(0).abs() < 1e-9);
    plane.stop().await.unwrap();

    assert_eq!(fs::metadata(data.join("pg")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(data.join("nats")).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(home.path().join("logs/postgres.log").exists());
    assert!(home.path().join("logs/nats.log").exists());
}

/// As root, the servers are somebody else, and need not be able to pass the directories above theirs.
#[tokio::test]
async fn a_data_directory_below_a_closed_one_works() {
    let places = furnished_places().await;
    let (home, data) = data_dir();
    fs::set_permissions(home.path(), PermissionsExt::from_mode(0o700)).unwrap();

    for _ in ["a new directory", "the same again"] {
        let plane = start(Options::new(&data, places.clone())).await.unwrap();
        let (client, _driver) = connect(plane.database_url().unwrap()).await;
        client
            .batch_execute("CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1); CHECKPOINT")
            .await
            .unwrap();
        for running in plane.running() {
            let owner = fs::metadata(format!("/proc/{}", running.pid)).unwrap().uid();
            assert_ne!(owner, 0, "{}", running.server);
        }
        plane.stop().await.unwrap();
    }
    let owner = fs::metadata(data.join("pg")).unwrap().uid();
    assert_eq!(owner != nix::unistd::geteuid().as_raw(), we_are_root());
}

/// The address of a unix socket has about a hundred bytes.
#[tokio::test]
async fn a_long_path_moves_the_socket_and_nothing_else() {
    let places = furnished_places().await;
    let (home, _) = data_dir();
    let data = home.path().join("a-directory-with-a-long-name".repeat(4)).join("data");

    let plane = start(Options::new(&data, places).without_nats()).await.unwrap();
    let url: Config = plane.database_url().unwrap().parse().unwrap();
    let [tokio_postgres::config::Host::Unix(socket_dir)] = url.get_hosts() else { panic!("{:?}", url.get_hosts()) };
    let socket_dir = socket_dir.clone();
    assert!(!socket_dir.starts_with(home.path()) && socket_dir.exists(), "{}", socket_dir.display());
    assert_eq!(fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    connect(plane.database_url().unwrap()).await;
    plane.stop().await.unwrap();
    assert!(!socket_dir.exists());
}

#[tokio::test]
async fn a_test_plane_is_forgetful_and_leaves_nothing() {
    let places = furnished_places().await;
    let plane = start(Options::for_tests(places)).await.unwrap();
    let (client, _driver) = connect(plane.database_url().unwrap()).await;
    for (name, value) in [("fsync", "off"), ("synchronous_commit", "off"), ("max_connections", "200")] {
        assert_eq!(setting(&client, name).await, value, "{name}");
    }
    client.batch_execute("CREATE DATABASE another").await.unwrap();
    let home = plane.data_dir().parent().unwrap().to_owned();
    assert!(home.join("data/pg/PG_VERSION").exists());
    plane.stop().await.unwrap();
    assert!(!home.exists());
}

#[tokio::test]
async fn nats_lets_in_whoever_has_the_password_and_nobody_else() {
    let places = furnished_places().await;
    let plane = start(Options::for_tests(places).without_postgres()).await.unwrap();
    assert_eq!(plane.database_url(), None);
    let url = plane.nats_url().unwrap().expose_secret().to_owned();
    let (credentials, address) = url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{address}");

    assert_eq!(sign_in(address, user, password).await, "PONG");
    assert_eq!(sign_in(address, user, "guess").await, "-ERR 'Authorization Violation'");
    assert!(!format!("{plane:?} {plane}").contains(password));
    let arguments = fs::read(format!("/proc/{}/cmdline", plane.running().next().unwrap().pid)).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(password));
    plane.stop().await.unwrap();
}

async fn sign_in(address: &str, user: &str, password: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    let info = lines.next_line().await.unwrap().unwrap();
    assert!(info.contains("\"jetstream\":true"), "{info}");
    let words = format!("CONNECT {{\"user\":\"{user}\",\"pass\":\"{password}\",\"verbose\":false}}\r\nPING\r\n");
    writer.write_all(words.as_bytes()).await.unwrap();
    lines.next_line().await.unwrap().unwrap()
}

#[tokio::test]
async fn the_owner_learns_when_a_server_ends_by_itself() {
    let places = furnished_places().await;
    let plane = start(Options::for_tests(places)).await.unwrap();
    let nats = plane.running().find(|running| running.server == Server::Nats).unwrap().pid;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(nats.try_into().unwrap()), nix::sys::signal::SIGKILL).unwrap();
    let error = plane.ended().await;
    assert_eq!(error.code(), "server_ended");
    assert!(error.to_string().starts_with("NATS ended with signal: 9"), "{error}");
    plane.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_plane_shuts_down_by_itself() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    let plane = start(Options::new(&data, places)).await.unwrap();
    let pids: Vec<_> = plane.running().map(|running| running.pid).collect();
    drop(plane);
    tokio::task::spawn_blocking(move || {
        eventually("both servers are gone", || !pids.iter().any(|pid| runs(*pid)));
    })
    .await
    .unwrap();
    assert!(was_shut_down_cleanly(&data));
}

/// PostgreSQL removes its process id as the last step of a clean end.
fn was_shut_down_cleanly(data: &Path) -> bool {
    !data.join("pg/postmaster.pid").exists()
}
